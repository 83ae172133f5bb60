// The vocabulary that every layer shares: what a rule, a credential, an observation and a planned write are.
import type { FailureReason } from './errors.ts';
import type { WebhookConfiguration } from './webhook-configuration.ts';

/** An instant: milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/** One thing that is wrong or doubtful in what a person wrote. */
export interface Issue {
  readonly severity: 'error' | 'warning';
  /** Where: `watch-namespace`, `registry-info[1].regionId`. */
  readonly path: string;
  /** One sentence that says what is wrong and how to write it right. Never holds a secret. */
  readonly message: string;
  /** One-based line inside the value of the key, where known. */
  readonly line?: number;
  /** The offending text, shortened; absent where it could hold a secret. */
  readonly value?: string;
  /** The whole value of the key as it should be, ready to paste; what could be a secret stands as `********` in it. */
  readonly correction?: string;
}

/** What a parser returns: the value, or why there is none; warnings may come with either. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Names a Secret that holds an identity or a password. */
export interface SecretReference {
  readonly namespace: string;
  readonly name: string;
}

/** Names a ServiceAccount. */
export interface ServiceAccountReference {
  readonly namespace: string;
  readonly name: string;
}

/** The Secret that a credential is made from, and what becomes of what it holds. */
export interface SecretUse {
  readonly reference: SecretReference;
  /** True = written into namespaces as it is; false = a key that makes credentials and must never be. */
  readonly published: boolean;
}

/** Which credential is wanted: the provider, its parsed target, and the keys under which it is known. */
export interface CredentialRequest {
  /** Name of the provider, as in the configuration. */
  readonly provider: string;
  /** The provider's own parsed target; opaque to everything else. */
  readonly target: unknown;
  /** Equal for requests that the same credential serves; stable, holds no secret, safe to log. */
  readonly cacheKey: string;
  /** Registry hosts to write; undefined = those that the credential brings along. */
  readonly hosts: readonly string[] | undefined;
  /** The Secret that it names; undefined = none. */
  readonly secret?: SecretUse | undefined;
}

/** What a registry accepts: user name and password, and for how long. */
export interface Credential {
  readonly username: string;
  readonly password: string;
  /** When we asked for it. */
  readonly issuedAt: EpochMs;
  /** When it stops working; undefined = it does not expire. */
  readonly expiresAt: EpochMs | undefined;
  /** When it ends by itself and only a person can replace it: told to people, no renewal follows from it. */
  readonly endsAt?: EpochMs;
  /** When what ends so was issued, where it tells: people may have put it in long after. */
  readonly beganAt?: EpochMs;
  /** What the cloud calls it, where it leaves something behind there: by this it is kept when others are revoked. No secret. */
  readonly id?: string;
  /** Registry hosts that the cloud names for it, where the provider asks. */
  readonly hosts?: readonly string[];
  /** Remarks for the person who configured it, e.g. a domain that the cloud does not list. No secrets. */
  readonly warnings?: readonly string[];
  /** As whom we asked for it, and why, where there was a choice: for people. No secrets. */
  readonly identity?: string;
}

/** Why a credential could not be obtained. */
export interface Failure {
  readonly reason: FailureReason | 'CredentialPending';
  /** One sentence that names instance, region, action and request id where there are any. No secrets. */
  readonly message: string;
  /** When asking again makes sense; undefined = somebody will wake us. */
  readonly retryAt: EpochMs | undefined;
}

/** The credential store's answer to one request. */
export type CredentialAnswer =
  /** Valid and not due. */
  | { readonly status: 'fresh'; readonly credential: Credential; readonly source: string }
  /** The refresh failed or is under way; the old one is still valid. */
  | {
      readonly status: 'stale';
      readonly credential: Credential;
      readonly source: string;
      readonly failure: Failure;
    }
  | { readonly status: 'unavailable'; readonly failure: Failure };

/** Label selector, parsed: every requirement must hold. */
export type LabelSelector = readonly LabelRequirement[];

export type LabelRequirement =
  | { readonly key: string; readonly operator: 'in' | 'notin'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'exists' | 'absent' };

/** A list of names as people write it: exact names, globs, and what is taken out again. */
export interface NamePatterns {
  /** Names without a wildcard, lower case. */
  readonly names: ReadonlySet<string>;
  /** Globs (`team-*`); `*` alone means everything. */
  readonly globs: readonly string[];
  /** Names and globs that were written with a leading `!`; they win over everything. */
  readonly excluded: readonly string[];
}

/** Which namespaces, and which ServiceAccounts in them. Each pair is a union: listed, or selected. */
export interface Scope {
  readonly namespaces: NamePatterns;
  readonly namespaceSelector: LabelSelector | undefined;
  /** Bounds globs and selectors, never a listed name. */
  readonly excludedNamespaces: NamePatterns;
  readonly serviceAccounts: NamePatterns;
  readonly serviceAccountSelector: LabelSelector | undefined;
}

/** Which registries, for which namespaces and ServiceAccounts, under which Secret name. */
export interface Rule {
  /** Where it was written: `registry-info`, `acr-registry-info`. For people. */
  readonly origin: string;
  readonly secretName: string;
  readonly scope: Scope;
  readonly requests: readonly CredentialRequest[];
}

/** Rules that are not known at the moment: nothing that they may want is removed. */
export interface UnknownRules {
  /** Those of the ConfigMap. */
  readonly configMap: boolean;
  /** Those of all `ImagePullSecret` resources. */
  readonly resources: boolean;
  /** Secrets of resources that cannot be understood, or are refused. */
  readonly secretNames: ReadonlySet<string>;
  /** Resources that are refused because of others, by name, and why. */
  readonly conflicts?: ReadonlyMap<string, Issue>;
  /** UID of the definition under which the resources are known; undefined = none is. A Secret that bears another stays. */
  readonly definition?: string | undefined;
  /** Secrets for which that does not count: their resources are known under it, or were until somebody deleted them. */
  readonly governed?: ReadonlySet<string>;
}

/** What is configured, understood. */
export interface Config {
  readonly rules: readonly Rule[];
  /** undefined = all rules are known. */
  readonly unknown?: UnknownRules | undefined;
  /** Renew when less than this is left, milliseconds. */
  readonly thresholdMs: number;
  readonly adoptExisting: 'vendor' | 'all' | 'none';
  /** Extra labels on our Secrets. */
  readonly secretLabels: Readonly<Record<string, string>>;
  /** Written as `email` into every entry, when set. */
  readonly email: string | undefined;
  /** The admission webhook; undefined = off. */
  readonly webhook: WebhookConfiguration | undefined;
}

/** A namespace as the cache holds it. */
export interface ObservedNamespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
}

/** A ServiceAccount as the cache holds it: only what decisions need. */
export interface ObservedServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAt: EpochMs;
  readonly labels: Readonly<Record<string, string>>;
  /** Names in `imagePullSecrets`, in order; '' for an entry without a name, which is kept like any other. */
  readonly imagePullSecrets: readonly string[];
  /** Names that our annotation says we added. */
  readonly recorded: readonly string[];
  /** When this program wrote it last; undefined = never, or not known. */
  readonly updatedAt?: EpochMs | undefined;
}

/** What our annotation says of one registry host in a Secret. */
export interface EntryRecord {
  /** What it was made from: see `sourceOf` in `credentials/`; two digests joined by a dot. */
  readonly source: string;
  readonly issuedAt: EpochMs;
  readonly expiresAt: EpochMs | undefined;
}

/** A Secret as the cache holds it: never its data. */
export interface ObservedSecret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** `namespace/name` that our annotation says it was written into; another one on a copy. */
  readonly place: string | undefined;
  /** UID of the definition that our annotation names. */
  readonly definition?: string | undefined;
  /** Per registry host, from our annotation; undefined = no (readable) annotation of ours. */
  readonly entries: Readonly<Record<string, EntryRecord>> | undefined;
  /** Digest that our annotation claims. */
  readonly recordedDigest: string | undefined;
  /** Digest of the content that is there, and of our annotation that tells of it. */
  readonly contentDigest: string;
  /** When this program wrote it last; undefined = never, or not known. */
  readonly updatedAt?: EpochMs | undefined;
}

/** What the caches say of one namespace. */
export interface Observed {
  readonly namespace: ObservedNamespace;
  readonly serviceAccounts: readonly ObservedServiceAccount[];
  /** Our Secrets, and foreign ones that we met under a name we wanted; by name. */
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  /**
   * What another writer keeps undoing, and until when we hold back: ServiceAccounts by UID, Secrets by `namespace/name` (a
   * Secret that is deleted again and again has a new UID each time).
   */
  readonly contendedUntil: ReadonlyMap<string, EpochMs>;
  /** What the API server refused to let us write last, and until when we hold back; ids as above. */
  readonly refusedUntil: ReadonlyMap<string, EpochMs>;
}

/** One Secret that a namespace should hold. */
export interface DesiredSecret extends Pick<ObservedSecret, 'name'> {
  readonly rule: Rule;
}

/** What one namespace should hold. */
export interface Desired extends Partial<Pick<Config, 'unknown'>> {
  readonly secrets: readonly DesiredSecret[];
}
