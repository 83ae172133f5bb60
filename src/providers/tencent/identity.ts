// How we authenticate to Tencent Cloud: what every identity source yields.
import type { ProviderWorld } from '../provider.ts';

/** A key that signs calls. */
export interface TencentKey {
  readonly secretId: string;
  /** Secret. */
  readonly secretKey: string;
  /** Only of sessions. Secret. */
  readonly token?: string;
  /** Where it comes from, for messages: `the Secret kube-system/tcr-api-key`. */
  readonly origin: string;
  /** Whose budget of requests it spends: equal for keys that share one. Holds no secret. */
  readonly account: string;
  /** Why this identity was chosen, where a choice was made; for people. */
  readonly choice?: string;
  /** Remarks for the person who configured it. No secrets. */
  readonly warnings?: readonly string[];
}

/** Where an identity is needed. */
export interface IdentityPlace {
  /** Region whose services are asked. */
  readonly region: string;
}

/** One way to come by a key. */
export interface TencentIdentity {
  /** Equal for the same identity; holds no secret. */
  readonly key: string;
  /**
   * Throws ProviderError: `IdentityUnavailable` when something is missing, saying what and how to create it; what the cloud
   * refused otherwise, naming the hop.
   */
  fetchKey(world: ProviderWorld, place: IdentityPlace, signal: AbortSignal): Promise<TencentKey>;
}
