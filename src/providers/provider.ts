// What a provider is: code that obtains credentials for one kind of registry, and nothing else.
import type { ItemDefaults } from '../core/item-defaults.ts';
import type {
  Credential,
  EpochMs,
  Parsed,
  SecretReference,
  SecretUse,
  ServiceAccountReference,
} from '../core/types.ts';

/** Where one service of a cloud is reached, where that differs from the public default. */
export interface ServiceEndpoint {
  /** `https://host[:port]`; `{region}` is replaced. */
  readonly url?: string;
  /** Host that is signed and sent as `Host`, where it is not that of `url`; `{region}` is replaced. */
  readonly host?: string;
  /** PEM text of the authorities to trust in place of the public ones. */
  readonly ca?: string;
}

/** Per cloud (`alibaba`) and service (`cr`). A process setting, never a ConfigMap key. */
export type CloudEndpoints = Readonly<Record<string, Readonly<Record<string, ServiceEndpoint>>>>;

/** What targets fall back to, and what they may reach. */
export interface TargetDefaults extends ItemDefaults {
  /** Our own namespace, where Secret references point by default. */
  readonly namespace: string;
  /** Further namespaces that Secret references may name: `--allow-secret-namespaces`. */
  readonly secretNamespaces: readonly string[];
  /** Secrets whose contents must never be published, besides those of `isIdentitySecretName`. */
  readonly keptSecrets?: readonly string[];
}

/** A key that a cloud lends an identity for a while. */
export interface IdentitySession<T> {
  readonly value: T;
  /** When we asked for it. */
  readonly issuedAt: EpochMs;
  /** undefined = it does not expire: no session then, and kept although a cloud refuses what was made with it. */
  readonly expiresAt: EpochMs | undefined;
  /** Every secret text in `value`: registered for redaction before anybody sees it. */
  readonly secrets: readonly string[];
}

/** A call to a metadata service: plain HTTP to an address of the node's own network. */
export interface MetadataRequest {
  readonly method: 'GET' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What a metadata service answered; of a longer text only the first 64 KiB. */
export interface MetadataAnswer {
  readonly status: number;
  readonly text: string;
}

/** Who leaves something behind at a cloud: equal only for the same installation in the same cluster. */
export interface Owner {
  /** UID of the namespace kube-system. */
  readonly cluster: string;
  /** The setting `--instance`. */
  readonly instance: string;
}

/** The world as providers see it: what identities need and nothing more. */
export interface ProviderWorld {
  now(): EpochMs;
  /**
   * The value for `key`: what is held while it is not due, else what `fetch` gives. One call at a time for each key, whoever asks;
   * what is held is kept while it works although `fetch` fails. Throws what `fetch` threw when nothing is held, and once in each
   * attempt when a cloud refused the session that `fetch` works with: the whole attempt is then made again with a new one.
   */
  identity<T>(
    key: string,
    fetch: (signal: AbortSignal) => Promise<IdentitySession<T>>,
    signal: AbortSignal,
  ): Promise<T>;
  /**
   * As `identity`, where `value` is of no use any more: another one is fetched at once, unless somebody has done so already. Gives what
   * is held, which may be `value`, when `fetch` fails.
   */
  replace<T>(
    key: string,
    value: T,
    fetch: (signal: AbortSignal) => Promise<IdentitySession<T>>,
    signal: AbortSignal,
  ): Promise<T>;
  /**
   * Data of a Secret, decoded. Reads are remembered: when the Secret changes, the credential made from it is due.
   * Throws ProviderError `IdentityUnavailable` when there is no such Secret.
   */
  readSecret(reference: SecretReference, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /**
   * A short-lived token of a ServiceAccount, signed by the cluster. Throws ProviderError `IdentityUnavailable`, saying what is
   * missing.
   */
  requestToken(serviceAccount: ServiceAccountReference, audience: string, signal: AbortSignal): Promise<string>;
  /**
   * Text of a small file, a secret, read anew each time. Throws ProviderError `IdentityUnavailable` that names it; without `cause`
   * when there is none that we may read.
   */
  readFile(path: string): Promise<string>;
  /** One call, never through a proxy. Throws ProviderError `CloudUnavailable`; its message names address and cause. */
  http(request: MetadataRequest, signal: AbortSignal): Promise<MetadataAnswer>;
  /** The environment variables that vendors name; see `IDENTITY_VARIABLES`. */
  readonly env: Readonly<Record<string, string>>;
  readonly endpoints: CloudEndpoints;
  /** Throws ProviderError `CloudUnavailable` when the cluster does not tell who it is. */
  owner(signal: AbortSignal): Promise<Owner>;
}

/** Obtains credentials for one kind of registry. Knows nothing of Kubernetes, caching, retries or refresh. */
export interface RegistryProvider<Target> {
  /** As written in the configuration and in metrics. */
  readonly name: string;
  /** Reads one item of the configuration: every problem at once, before any network call. Paths are relative to the item. */
  parseTarget(input: Readonly<Record<string, unknown>>, defaults: TargetDefaults): Parsed<Target>;
  /** Keys under `auths`; undefined = only the cloud knows. */
  registryHosts(target: Target): readonly string[] | undefined;
  /** Equal for targets that one credential serves; stable, holds no secret, safe to log. */
  cacheKey(target: Target): string;
  /** The Secret that the target names; undefined = none. What one item keeps as a key, no other may publish. */
  secretUse(target: Target): SecretUse | undefined;
  /** One attempt. Throws ProviderError; everything else that it throws is a bug. */
  fetchCredential(target: Target, world: ProviderWorld, signal: AbortSignal): Promise<Credential>;
  /** True when every credential leaves something behind at the cloud, which `revokeCredentials` removes again. */
  mints(target: Target): boolean;
  /** As much of the target as `mints`, `cacheKey` and `revokeCredentials` need: it is remembered, however many there are. */
  revocationTarget(target: Target): Target;
  /**
   * Deletes at the cloud whatever this installation left there for `target`, but for the credential with the id `keep`, and waits
   * until it is gone; nothing else is touched. Gives the ids that it deleted. Throws ProviderError that names those that are left.
   */
  revokeCredentials(
    target: Target,
    options: { readonly keep: string | undefined },
    world: ProviderWorld,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
}
