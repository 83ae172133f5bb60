// What is known of each resource: what its rule asks for, what is wrong with it, and the status that follows from both.
import { endingOf, type Ending } from '../core/password-end.ts';
import { buildWrittenStatus, type CredentialFacts, type WrittenStatus } from '../core/resource-status.ts';
import type { EpochMs, Issue } from '../core/types.ts';
import type { Resource } from '../kube/resource-objects.ts';
import type { NotedSkips } from './noted-skips.ts';
import type { ResourceRules } from './resource-rules.ts';
import type { ResourcesOptions } from './resources.ts';
import { tally } from './tally.ts';

/** What it reads. */
export interface ResourceViewOptions extends Pick<
  ResourcesOptions,
  'config' | 'settings' | 'caches' | 'credentials' | 'now'
> {
  readonly rules: Pick<ResourceRules, 'ruleOf' | 'issuesOf'>;
  readonly skips: Pick<NotedSkips, 'of'>;
  /** The vendor's add-on runs and serves the resources. */
  readonly isStandingDown: () => boolean;
  /** Told when it is near, and when it is over. */
  readonly onPasswordEnding: (resource: Resource, ending: Ending) => void;
}

/** The view. */
export interface ResourceView {
  /** Of the credential that the rule of the resource asks for; empty = it asks for none. */
  cacheKeyOf(name: string): string;
  issuesOf(name: string): readonly Issue[];
  /** When a status changes although nothing happens; undefined = never. */
  nextChangeAt(names: Iterable<string>): EpochMs | undefined;
  /** The status as it should be; tells of passwords that end. `previous`: see `buildResourceStatus`. */
  build(resource: Resource, previous: unknown): WrittenStatus;
  /** What was told of the resource with this UID, undefined = of all, is told again. */
  forget(uid?: string): void;
}

const NONE = { desired: 0, successful: [], failed: [] };

/** Builds them. */
export function createResourceView(options: ResourceViewOptions): ResourceView {
  const { rules, skips, credentials, now } = options;
  /** What was said last of the end of each password, by UID. */
  const told = new Map<string, string>();

  const cacheKeyOf = (name: string): string => rules.ruleOf(name)?.requests[0]?.cacheKey ?? '';
  const credentialOf = (name: string): CredentialFacts | undefined => credentials.facts(cacheKeyOf(name));
  const conflictOf = (name: string): Issue | undefined => options.config()?.unknown?.conflicts?.get(name);
  const issuesOf = (name: string): readonly Issue[] => {
    const conflict = conflictOf(name);
    return conflict === undefined ? rules.issuesOf(name) : [...rules.issuesOf(name), conflict];
  };

  function tellEnding(resource: Resource, ending: Ending | undefined): void {
    const text = ending === undefined || ending.stage === 'valid' ? '' : `${ending.stage} ${ending.endsAt}`;
    if ((told.get(resource.uid) ?? '') === text) return;
    told.set(resource.uid, text);
    if (ending !== undefined && text !== '') options.onPasswordEnding(resource, ending);
  }

  return {
    cacheKeyOf,
    issuesOf,
    nextChangeAt(names) {
      const changes = [...names].flatMap((name) => endingOf(credentialOf(name), now())?.changesAt ?? []);
      return changes.length === 0 ? undefined : Math.min(...changes);
    },
    build(resource, previous) {
      const { name, generation } = resource;
      const rule = rules.ruleOf(name);
      const config = options.config();
      const isStandingDown = options.isStandingDown();
      const counts =
        rule === undefined || config === undefined || isStandingDown
          ? { secrets: NONE, accounts: NONE }
          : tally(rule, {
              caches: options.caches(),
              settings: options.settings(config),
              currentSource: credentials.source,
              skipsOf: (namespace) => skips.of(namespace),
              now: now(),
            });
      const credential = credentialOf(name);
      tellEnding(resource, endingOf(credential, now()));
      const failure = credentials.failure(cacheKeyOf(name));
      const wrong = { issues: rules.issuesOf(name), conflict: conflictOf(name) };
      const facts = { generation, ...wrong, isStandingDown, ...counts, credential, failure, now: now() };
      return buildWrittenStatus(facts, previous);
    },
    forget: (uid) => (uid === undefined ? told.clear() : void told.delete(uid)),
  };
}
