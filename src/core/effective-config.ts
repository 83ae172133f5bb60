// What is in force: the ConfigMap's rules and those of the resources, and what is not known of either.
import { resourceSecretName } from './names.ts';
import { conflictsAmong, type Claimant } from './resource-conflicts.ts';
import type { Config, Rule } from './types.ts';

/** A resource, as far as it was ever understood. */
export interface KnownResource extends Claimant {
  readonly name: string;
  /** undefined = it cannot be understood, and never could. */
  readonly rule: Rule | undefined;
}

/** The resources that count. */
export interface KnownResources {
  readonly known: readonly KnownResource[];
  /** False = there may be others: they cannot be read, or are somebody else's for now. */
  readonly areAll: boolean;
  /** UID of the definition under which they are known; undefined = none is. */
  readonly definition?: string | undefined;
  /** Names of those that somebody deleted before every Secret of theirs bore that UID. */
  readonly deleted?: ReadonlySet<string>;
}

/**
 * Adds the rules of `resources` to `config`. undefined for `config` = no good one is known: `defaults` stands in for its settings.
 * Returns undefined when nothing is known of either.
 */
export function effectiveConfig(
  config: Config | undefined,
  { known, areAll, definition, deleted = new Set() }: KnownResources,
  defaults: Config,
): Config | undefined {
  // That there are no resources is knowledge: what the last one brought must go, also without a ConfigMap.
  if (config === undefined && known.length === 0 && !areAll) return undefined;
  const { rules: own, ...settings } = config ?? { ...defaults, rules: [] };
  const conflicts = conflictsAmong(own, known);
  const isServed = ({ name, rule }: KnownResource): boolean => rule !== undefined && !conflicts.has(name);
  const served = known.filter(isServed);
  const unclear = known.filter((resource) => !isServed(resource));
  return {
    ...settings,
    rules: [...own, ...served.flatMap(({ rule }) => rule ?? [])],
    unknown: {
      configMap: config === undefined,
      resources: !areAll,
      secretNames: new Set(unclear.map(({ name }) => resourceSecretName(name))),
      conflicts,
      definition,
      governed: new Set([...known.map(({ name }) => name), ...deleted].map(resourceSecretName)),
    },
  };
}
