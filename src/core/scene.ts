// What the rules want in many namespaces at once, and whether it is there: for commands that look over a whole cluster.
import { desiredFor } from './desired.ts';
import { judgePod, type FoundPod, type JudgedPod } from './judge-pod.ts';
import { includesServiceAccount } from './scope.ts';
import { keyOf, requestKey } from './source.ts';
import type { Looked } from './take-over-facts.ts';
import type { Config, EpochMs, ObservedNamespace, ObservedSecret, ObservedServiceAccount, Rule } from './types.ts';

/** What was read. */
export interface SceneFacts {
  readonly config: Config;
  /** Those that are looked at. */
  readonly namespaces: readonly ObservedNamespace[];
  readonly accounts: readonly ObservedServiceAccount[];
  readonly secrets: Looked<readonly ObservedSecret[]>;
  readonly now: EpochMs;
}

/** What follows from it. */
export interface Scene {
  /** Secrets that the rules want, one for each rule and namespace. */
  readonly wanted: number;
  /** One sentence for each Secret that is not there, lacks a registry or holds what expired, and for each that some ServiceAccount should refer to and does not. */
  readonly faults: readonly string[];
  /** undefined = its namespace is not looked at. */
  judge(pod: FoundPod): JudgedPod | undefined;
}

/** Builds it. */
export function sceneOf({ config, namespaces, accounts, secrets, now }: SceneFacts): Scene {
  const byName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  const accountsOf = Map.groupBy(accounts, ({ namespace }) => namespace);
  const secretsOf = Map.groupBy(secrets.ok ? secrets.value : [], ({ namespace }) => namespace);
  const known = (namespace: string): ReadonlyMap<string, ObservedSecret> =>
    new Map(secretsOf.get(namespace)?.map((secret) => [secret.name, secret]));
  const desired = namespaces
    .filter(({ terminating }) => !terminating)
    .flatMap((namespace) =>
      desiredFor(config, namespace).secrets.map((secret) => ({ namespace: namespace.name, secret })),
    );
  return {
    wanted: desired.length,
    faults: desired.flatMap(({ namespace, secret: { name, rule } }) => {
      const place = `${namespace}/${name}`;
      const secret = known(namespace).get(name);
      if (secret === undefined) return [`${place} is not there.`];
      const over = Object.entries(secret.entries ?? {}).flatMap(([host, { expiresAt = now + 1 }]) =>
        expiresAt <= now ? [host] : [],
      );
      const lacking = lackOf(rule, secret);
      const without = (accountsOf.get(namespace) ?? []).filter(
        (account) => includesServiceAccount(rule.scope, account) && !account.imagePullSecrets.includes(name),
      );
      return [
        ...(lacking.length === 0 ? [] : [`${place} has no credential for ${lacking.join(', ')}.`]),
        ...(over.length === 0 ? [] : [`${place} holds what has expired, for ${over.join(', ')}.`]),
        ...(without.length === 0
          ? []
          : [
              `${place} is not referred to by ${without.length} of the ServiceAccounts that should, e.g. ${without[0]?.name ?? ''}.`,
            ]),
      ];
    }),
    judge(pod) {
      const namespace = byName.get(pod.namespace);
      if (namespace === undefined) return undefined;
      const account = accountsOf.get(pod.namespace)?.find(({ name }) => name === pod.serviceAccount);
      const ours = secrets.ok ? known(pod.namespace) : undefined;
      return judgePod(pod, { config, namespace, account, secrets: ours, now });
    },
  };
}

/** What a Secret holds no entry for: registry hosts, and where only the cloud knows those, what it would be asked for. */
function lackOf({ requests }: Rule, { entries = {} }: ObservedSecret): readonly string[] {
  const made = new Set(Object.values(entries).map(({ source }) => keyOf(source)));
  return requests.flatMap((request) => {
    if (request.hosts !== undefined) return request.hosts.filter((host) => entries[host] === undefined);
    return made.has(requestKey(request)) ? [] : [request.cacheKey];
  });
}
