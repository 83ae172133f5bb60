// Events -> keys. Handlers only compute which namespaces to look at: no reads, no writes, no awaits.
import type { ObservedNamespace, ObservedSecret, ObservedServiceAccount, Rule } from '../core/types.ts';
import type { Change } from '../kube/object-cache.ts';
import type { Caches } from './observe.ts';
import { namespacesOf } from './resource-rules.ts';
import type { Lane } from './work-queue.ts';

/** Where keys go. */
export interface KeySink {
  add(key: string, lane?: Lane): void;
}

/** The handlers of each source of events. */
export interface Triggers {
  readonly onNamespace: (change: Change<ObservedNamespace>) => void;
  readonly onServiceAccount: (change: Change<ObservedServiceAccount>) => void;
  readonly onSecret: (change: Change<ObservedSecret>) => void;
  /** What is in this namespace can be read now, or cannot any more. */
  readonly onRead: (namespace: string) => void;
  /** The configuration changed, or we became the leader: everything may have to change. */
  readonly onEverything: () => void;
  /** These rules are in force, or were: what they reach may have to change. */
  readonly onRules: (rules: readonly Rule[]) => void;
  /** A fetch ended that namespaces are waiting for. */
  readonly onCredentialSettled: (cacheKey: string) => void;
}

/** Builds the handlers. `waiting` gives and forgets the namespaces that wait for a credential. */
export function createTriggers(world: {
  readonly queue: KeySink;
  readonly caches: () => Pick<Caches, 'namespaces'>;
  readonly takeWaiting: (cacheKey: string) => Iterable<string>;
}): Triggers {
  const { queue } = world;
  const addAll = (): void => {
    for (const { name } of world.caches().namespaces.all()) queue.add(name);
  };
  return {
    onNamespace: ({ name, before, after, source }) =>
      queue.add(name, before === undefined && after !== undefined && source !== 'list' ? 'urgent' : 'normal'),
    onServiceAccount: ({ namespace, before, after, source }) =>
      queue.add(namespace, before === undefined && after !== undefined && source !== 'list' ? 'urgent' : 'normal'),
    onSecret: ({ namespace, after }) => queue.add(namespace, after === undefined ? 'urgent' : 'normal'),
    onRead: (namespace) => queue.add(namespace, 'urgent'),
    onEverything: addAll,
    onRules: (rules) => {
      for (const name of namespacesOf(rules, world.caches().namespaces.all())) queue.add(name);
    },
    onCredentialSettled: (cacheKey) => {
      for (const namespace of world.takeWaiting(cacheKey)) queue.add(namespace);
    },
  };
}
