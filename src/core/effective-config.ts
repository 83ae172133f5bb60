// What is in force: the ConfigMap's rules and those of the resources, and what is not known of either.
import { resourceSecretName } from './names.ts';
import type { Config, CredentialRequest, Issue, Rule, SecretReference } from './types.ts';

/** A resource, as far as it was ever understood. */
export interface KnownResource {
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
  const keys = keptSecrets([...own, ...known.flatMap(({ rule }) => rule ?? [])]);
  const served = known.filter(({ rule }) => rule !== undefined && publishedKey(rule, keys) === undefined);
  const unclear = known.filter((resource) => !served.includes(resource));
  return {
    ...settings,
    rules: [...own, ...served.flatMap(({ rule }) => rule ?? [])],
    unknown: {
      configMap: config === undefined,
      resources: !areAll,
      secretNames: new Set(unclear.map(({ name }) => resourceSecretName(name))),
      definition,
      governed: new Set([...known.map(({ name }) => name), ...deleted].map(resourceSecretName)),
    },
  };
}

/**
 * What is wrong with `rule` among the others: whoever may edit a resource must not be able to publish the keys that the
 * configuration, or another resource, names.
 */
export function conflictOf(rule: Rule, others: readonly Rule[]): Issue | undefined {
  const key = publishedKey(rule, keptSecrets(others));
  if (key === undefined) return undefined;
  const message = `names the Secret ${key}, which holds a key that must not be published: name a Secret made for this registry`;
  return { severity: 'error', path: 'spec.docker.passwordSecretRef', message };
}

/** The Secrets that hold keys, as `namespace/name`. */
function keptSecrets(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(rules.flatMap(({ requests }) => requests.flatMap((request) => secretOf(request, false) ?? [])));
}

function publishedKey({ requests }: Rule, kept: ReadonlySet<string>): string | undefined {
  return requests.map((request) => secretOf(request, true)).find((name) => name !== undefined && kept.has(name));
}

function secretOf({ secret }: CredentialRequest, published: boolean): string | undefined {
  const nameOf = ({ namespace, name }: SecretReference): string => `${namespace}/${name}`;
  return secret?.published === published ? nameOf(secret.reference) : undefined;
}
