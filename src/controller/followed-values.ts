// Keeps the configuration from the values of a chart: both ConfigMaps are followed by every replica, the leader writes.
import { disposition, KubeError } from '../core/errors.ts';
import type { ConfigData } from '../core/managed-form.ts';
import { planValues, type ValuesPlan, type ValuesSkipReason, type ValuesWrite } from '../core/plan-values.ts';
import { maskKeys } from '../core/secrecy.ts';
import { keptSentence, unusedSentence } from '../core/shown-values.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient, KubeObject } from '../kube/client.ts';
import { isFinal } from '../kube/errors.ts';
import { Loop } from '../kube/loop.ts';
import { followObject } from '../kube/one-object.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import { uidOf } from '../kube/resource-objects.ts';
import { configMapData, configMapPlace, foundConfiguration, writeConfiguration } from '../kube/values-config-map.ts';
import { Contention } from './contention.ts';
import { Refusals } from './refusals.ts';

/** Something of the configuration that is not as the values say, and why; in a sentence that shows no secret. */
export interface ValuesSkip {
  readonly reason: ValuesSkipReason | 'Contended' | 'WriteRefused';
  readonly message: string;
}

/** What is told; by the leader alone. */
export interface ValuesObserver {
  readonly onValuesWrite: (write: ValuesWrite) => void;
  readonly onValuesFailure: (write: ValuesWrite, error: unknown) => void;
  /** What was written was undone often enough that we hold back. */
  readonly onValuesContention: () => void;
  /** Everything that is not as the values say now. `uid` is that of the configuration. */
  readonly onValuesSkips: (skips: readonly ValuesSkip[], uid: string) => void;
}

interface Place {
  readonly namespace: string;
  readonly name: string;
}

export interface FollowedValuesOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** The ConfigMap of the values; it need not be there. */
  readonly values: Place;
  /** The configuration. */
  readonly configMap: Place;
  readonly observer: ValuesObserver;
  /** Whether the configuration is about to be made may have changed. */
  readonly onChange: () => void;
  readonly report: (place: Place, event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** The configuration, kept while `run` and `lead` run. */
export interface FollowedValues {
  /** There is no configuration, and one is about to be made; also as long as it is not known whether there are values. */
  isMaking(): boolean;
  /** Sentences about what is not as the values say. */
  problems(): readonly string[];
  /** How many things are not as the values say, by reason. */
  readonly leftAlone: () => ReadonlyMap<string, number>;
  /** How many keys do not follow the values since somebody edited them; 0 as long as it is not known. */
  readonly editedKeys: () => number;
  /** Follows both until aborted; never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Writes until aborted; never throws. */
  lead(signal: AbortSignal): Promise<void>;
}

const RETRY_MS = 100;
const MAX_RETRY_MS = 60_000;
/** How long a configuration that was deleted stays away: `kubectl replace --force` deletes it, and makes it anew itself. */
const REMAKE_AFTER_MS = 5_000;
/** There is only one thing to be refused, or fought over. */
const CONFIGURATION = { namespace: '', id: 'configuration' } as const;

/** Builds it; nothing is read or written before `run` and `lead`. */
export function createFollowedValues(options: FollowedValuesOptions): FollowedValues {
  const { client, instance, configMap, observer, now, random } = options;
  const contention = new Contention();
  const refusals = new Refusals();
  /** When it was deleted last. */
  let goneAt = Number.NEGATIVE_INFINITY;
  let refusal = '';
  /** Names of those that may not be looked at: nothing is made then. */
  const unreadable = new Set<string>();
  /** Steps in a row in which the world had moved on. */
  let moved = 0;

  const follow = (place: Place, onChange: () => void) =>
    followObject({
      ...{ client, place: configMapPlace(place), onChange, now, random },
      report: (event) => {
        options.report(place, event);
        if (event.type === 'failed' && isFinal(event.error)) unreadable.add(place.name);
        else if (event.type === 'listed') unreadable.delete(place.name);
        if (event.type === 'synced') changed();
        else if (event.type === 'failed') options.onChange();
      },
    });
  const valuesReflector = follow(options.values, () => {
    // What was refused, or fought over, was something else.
    refusals.clear();
    contention.clear();
    refusal = '';
    changed();
  });
  const reflector = follow(configMap, () => {
    if (cached() === undefined) goneAt = now();
    changed();
  });
  const loop = new Loop(step);

  function changed(): void {
    loop.wake();
    options.onChange();
  }

  function cached(): KubeObject | undefined {
    return reflector.get(configMap.namespace, configMap.name);
  }

  function values(): ConfigData | undefined {
    const object = valuesReflector.get(options.values.namespace, options.values.name);
    return object === undefined ? undefined : configMapData(object);
  }

  /** undefined = not everything is known. */
  function plan(): (ValuesPlan & { readonly live: KubeObject | undefined }) | undefined {
    if (!valuesReflector.synced || !reflector.synced) return undefined;
    const live = cached();
    return { ...planValues(values(), live === undefined ? undefined : foundConfiguration(live, instance)), live };
  }

  function skips(): readonly ValuesSkip[] {
    const planned = plan();
    if (planned === undefined) return [];
    const { kept, unused, write } = planned;
    const place = `ConfigMap ${configMap.namespace}/${configMap.name}`;
    return [
      ...kept.map((key): ValuesSkip => ({ reason: 'HandEditKept', message: keptSentence(key) })),
      ...(unused.length === 0
        ? []
        : [{ reason: 'ValuesUnused', message: unusedSentence(unused, { instance, configMap }) } as const]),
      ...(write === undefined || !contention.inNamespace('', now()).has(CONFIGURATION.id)
        ? []
        : [
            {
              reason: 'Contended',
              message: `${place} is deleted or put back by another writer again and again: waiting before writing it from the values`,
            } as const,
          ]),
      ...(write === undefined || refusal === ''
        ? []
        : [{ reason: 'WriteRefused', message: `${place} could not be written from the values: ${refusal}` } as const]),
    ];
  }

  async function step(signal: AbortSignal): Promise<number> {
    const planned = plan();
    if (planned === undefined) return Number.POSITIVE_INFINITY;
    const { write, live } = planned;
    observer.onValuesSkips(skips(), live === undefined ? '' : uidOf(live));
    if (write === undefined) return Number.POSITIVE_INFINITY;
    const heldUntil = Math.max(
      live === undefined ? goneAt + REMAKE_AFTER_MS : 0,
      contention.inNamespace('', now()).get(CONFIGURATION.id) ?? 0,
      refusals.inNamespace('', now()).get(CONFIGURATION.id) ?? 0,
    );
    if (heldUntil > now()) return heldUntil - now();
    try {
      reflector.absorb(await writeConfiguration(client, write, { configMap, instance, observed: live, signal }));
      note(write);
      return 0;
    } catch (error) {
      return retryAfter(write, error) - now();
    }
  }

  /** Remembers a write that succeeded. */
  function note(write: ValuesWrite): void {
    moved = 0;
    refusal = '';
    refusals.accepted(CONFIGURATION);
    const pauseMs = contention.added({ ...CONFIGURATION, written: `${write.kind} ${write.taken}` }, now());
    observer.onValuesWrite(write);
    if (pauseMs > 0) observer.onValuesContention();
  }

  /** Says when to try again. */
  function retryAfter(write: ValuesWrite, error: unknown): EpochMs {
    const isNamespaceMissing =
      write.kind === 'create-configuration' && error instanceof KubeError && error.reason === 'NotFound';
    if (disposition(error).kind === 'replan' && !isNamespaceMissing) {
      moved += 1;
      return now() + Math.min(RETRY_MS * 2 ** (moved - 1), MAX_RETRY_MS);
    }
    const isAborted = error instanceof KubeError && error.reason === 'Aborted';
    if (!isAborted) {
      refusal = error instanceof KubeError ? maskKeys(error.message) : 'an unexpected failure';
      observer.onValuesFailure(write, error);
      options.onChange();
    }
    const until = refusals.refused(CONFIGURATION, now());
    return Math.max(until, now() + (error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0));
  }

  return {
    isMaking() {
      if (refusal !== '' || unreadable.size > 0) return false;
      return !valuesReflector.synced || (values() !== undefined && cached() === undefined);
    },
    problems: () => skips().map(({ message }) => message),
    leftAlone: () => {
      const byReason = Map.groupBy(skips(), ({ reason }) => reason);
      return new Map([...byReason].map(([reason, those]) => [reason, those.length]));
    },
    editedKeys: () => plan()?.kept.length ?? 0,
    async run(signal) {
      await Promise.all([valuesReflector.run(signal), reflector.run(signal)]);
    },
    async lead(signal) {
      // What an earlier term learnt is out of date: somebody else may have led meanwhile.
      contention.clear();
      refusals.clear();
      refusal = '';
      await loop.run(signal);
    },
  };
}
