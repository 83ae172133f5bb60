// What would become of the Secrets and references of a cluster, by the very decisions that the controller makes.
import { assessSecret } from './assess-secret.ts';
import { desiredFor } from './desired.ts';
import {
  ACR_SECRET_NAME,
  INSTANCE_LABEL,
  isOlderAcrSecretName,
  MANAGED_BY_LABEL,
  MANAGER,
  SECRET_TYPE,
} from './names.ts';
import { planServiceAccounts } from './plan-service-accounts.ts';
import type { FoundSecret, TakeOverFacts } from './take-over-facts.ts';
import type { Config, DesiredSecret, ObservedNamespace, ObservedServiceAccount } from './types.ts';

/** How long the credential in a Secret lives at most, milliseconds: an add-on that runs has written since. */
const LIFE_MS = 3_600_000;

/** What would become of Secrets. */
export interface SecretSurvey {
  /** Taken over in place. */
  readonly adopted: readonly FoundSecret[];
  /** Ours already. */
  readonly own: readonly FoundSecret[];
  /** Namespaces and names of those that are new. */
  readonly created: readonly { readonly namespace: string; readonly name: string }[];
  /** Under a wanted name, and not ours to take. */
  readonly taken: readonly FoundSecret[];
  /** Under another name of the vendor's, in a namespace in scope. */
  readonly left: readonly FoundSecret[];
  /** Under a name of the vendor's, in a namespace out of scope. */
  readonly outside: readonly FoundSecret[];
}

/** What would become of references. */
export interface ReferenceSurvey {
  /** ServiceAccounts that refer to a wanted Secret by their owner's or the vendor's doing. */
  readonly kept: number;
  /** ServiceAccounts that get a reference. */
  readonly added: number;
  /** Those that refer to a Secret that is left, or outside. */
  readonly stale: readonly ObservedServiceAccount[];
}

/** What can be told of a cluster; undefined = something that it takes could not be read, or there is no configuration. */
export interface Survey {
  readonly inScope: readonly ObservedNamespace[] | undefined;
  readonly secrets: SecretSurvey | undefined;
  readonly references: ReferenceSurvey | undefined;
  /** Secrets under the vendor's names that are not ours. */
  readonly vendors: readonly FoundSecret[];
  /** Other installations of ours, by the Secrets that they keep. */
  readonly otherInstances: readonly string[];
  /** The vendor's Secret that somebody wrote last, within the life of a credential; undefined = none. */
  readonly recent: FoundSecret | undefined;
}

/** True for the names under which Alibaba's add-on writes, or wrote. */
export function isAcrSecretName(name: string): boolean {
  return name === ACR_SECRET_NAME || isOlderAcrSecretName(name);
}

/** What judging takes. */
export interface Surveyed extends Pick<
  TakeOverFacts,
  'now' | 'instance' | 'namespaces' | 'serviceAccounts' | 'secrets'
> {
  /** What would be in force; undefined = not known. */
  readonly config: Config | undefined;
  /** True for the names under which the vendor writes, or wrote. */
  readonly isVendors: (name: string) => boolean;
}

/** Judges every namespace as the controller would, under the configuration that was Alibaba's add-on's. */
export function surveyTakeOver(facts: TakeOverFacts): Survey {
  const config = facts.configuration.ok ? facts.configuration.value?.config : undefined;
  return surveyCluster({ ...facts, config, isVendors: isAcrSecretName });
}

/** Judges every namespace as the controller would. */
export function surveyCluster(facts: Surveyed): Survey {
  const { config } = facts;
  const found = facts.secrets.ok ? facts.secrets.value : [];
  const inScope =
    config === undefined || !facts.namespaces.ok
      ? undefined
      : facts.namespaces.value.filter(
          (namespace) => !namespace.terminating && desiredFor(config, namespace).secrets.length > 0,
        );
  const vendors = found.filter(({ name, labels }) => facts.isVendors(name) && labels[MANAGED_BY_LABEL] !== MANAGER);
  const isKnown = config !== undefined && inScope !== undefined && facts.secrets.ok;
  const secrets = isKnown ? surveySecrets(facts, { config, inScope, found, vendors }) : undefined;
  const references =
    config !== undefined && inScope !== undefined && secrets !== undefined
      ? surveyReferences(facts, { config, inScope, secrets })
      : undefined;
  const instances = found.flatMap(({ labels }) =>
    labels[MANAGED_BY_LABEL] === MANAGER ? (labels[INSTANCE_LABEL] ?? []) : [],
  );
  return {
    inScope,
    secrets,
    references,
    vendors,
    otherInstances: [...new Set(instances)].filter((instance) => instance !== facts.instance).sort(),
    recent: lastWritten(found, facts),
  };
}

interface Known {
  readonly config: Config;
  readonly inScope: readonly ObservedNamespace[];
}

function surveySecrets(
  facts: Surveyed,
  { config, inScope, found, vendors }: Known & Record<'found' | 'vendors', readonly FoundSecret[]>,
): SecretSurvey {
  const byPlace = new Map(found.map((secret) => [placeOf(secret), secret]));
  const settings = { ...config, instance: facts.instance };
  const wanted = new Set<string>();
  const outcomes = inScope.flatMap((namespace) =>
    desiredFor(config, namespace).secrets.map((desired) => {
      const at = { namespace: namespace.name, name: desired.name };
      wanted.add(placeOf(at));
      const secret = byPlace.get(placeOf(at));
      if (secret === undefined) return { outcome: 'created', at } as const;
      return { outcome: outcomeOf(desired, secret), secret } as const;
    }),
  );
  const ofKind = (kind: 'adopted' | 'own' | 'taken'): readonly FoundSecret[] =>
    outcomes.flatMap((one) => (one.outcome === kind ? [one.secret] : []));
  const names = new Set(inScope.map(({ name }) => name));
  const others = vendors.filter((secret) => !wanted.has(placeOf(secret)));
  return {
    adopted: ofKind('adopted'),
    own: ofKind('own'),
    taken: ofKind('taken'),
    created: outcomes.flatMap((one) => (one.outcome === 'created' ? [one.at] : [])),
    left: others.filter(({ namespace }) => names.has(namespace)),
    outside: others.filter(({ namespace }) => !names.has(namespace)),
  };

  function outcomeOf(desired: DesiredSecret, secret: FoundSecret): 'adopted' | 'own' | 'taken' {
    const context = { settings, namespace: secret.namespace, currentSource: () => undefined, now: facts.now };
    const assessment = assessSecret(desired, secret, context);
    if (assessment.kind === 'taken') return 'taken';
    return assessment.reason === 'SecretAdopted' ? 'adopted' : 'own';
  }
}

function surveyReferences(
  { serviceAccounts, now }: Surveyed,
  { config, inScope, secrets }: Known & { readonly secrets: SecretSurvey },
): ReferenceSurvey | undefined {
  if (!serviceAccounts.ok) return undefined;
  const byNamespace = Map.groupBy(serviceAccounts.value, ({ namespace }) => namespace);
  const taken = new Set(secrets.taken.map(placeOf));
  let kept = 0;
  let added = 0;
  for (const namespace of inScope) {
    const accounts = byNamespace.get(namespace.name) ?? [];
    const desired = desiredFor(config, namespace);
    const ready = new Set(
      desired.secrets.flatMap(({ name }) => (taken.has(placeOf({ namespace: namespace.name, name })) ? [] : [name])),
    );
    const nobody = new Map<string, number>();
    const observed = {
      ...{ namespace, serviceAccounts: accounts, secrets: new Map<string, FoundSecret>() },
      ...{ contendedUntil: nobody, refusedUntil: nobody },
    };
    added += planServiceAccounts(desired, observed, { ready, refused: new Set() }, now).additions.length;
    kept += accounts.filter(({ imagePullSecrets, recorded }) =>
      imagePullSecrets.some((name) => ready.has(name) && !recorded.includes(name)),
    ).length;
  }
  const stale = new Set([...secrets.left, ...secrets.outside].map(placeOf));
  return {
    kept,
    added,
    stale: serviceAccounts.value.filter(({ namespace, imagePullSecrets }) =>
      imagePullSecrets.some((name) => stale.has(placeOf({ namespace, name }))),
    ),
  };
}

function lastWritten(found: readonly FoundSecret[], { now, isVendors }: Surveyed): FoundSecret | undefined {
  const at = (secret: FoundSecret): number => secret.othersWrote?.at ?? 0;
  return found
    .filter((secret) => isVendors(secret.name) && at(secret) > now - LIFE_MS)
    .sort((a, b) => at(b) - at(a))[0];
}

/** `namespace/name`. */
export function placeOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** True when its type is not that of pull Secrets: it can only be deleted. */
export function hasWrongType({ type }: FoundSecret): boolean {
  return type !== SECRET_TYPE;
}
