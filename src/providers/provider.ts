// What a provider is: code that obtains credentials for one kind of registry, and nothing else.
import type { ItemDefaults } from '../core/item-defaults.ts';
import type { Credential, EpochMs, Parsed, SecretReference, SecretUse } from '../core/types.ts';

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
  /** Namespace of the ConfigMap, where Secret references point by default. */
  readonly namespace: string;
  /** Further namespaces that Secret references may name: `--allow-secret-namespaces`. */
  readonly secretNamespaces: readonly string[];
}

/** The world as providers see it: what identities need and nothing more. */
export interface ProviderWorld {
  now(): EpochMs;
  /**
   * Data of a Secret, decoded. Reads are remembered: when the Secret changes, the credential made from it is due.
   * Throws ProviderError `IdentityUnavailable` when there is no such Secret.
   */
  readSecret(reference: SecretReference, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  readonly endpoints: CloudEndpoints;
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
}
