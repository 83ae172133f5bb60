// How we authenticate to Alibaba Cloud: what every identity source yields.
import type { ProviderWorld } from '../provider.ts';

/** A key that signs calls. */
export interface AlibabaKey {
  readonly accessKeyId: string;
  /** Secret. */
  readonly accessKeySecret: string;
  /** Only of sessions. Secret. */
  readonly securityToken?: string;
  /** Where it comes from, for messages: `the Secret kube-system/alibaba-addon-secret`. */
  readonly origin: string;
}

/** One way to come by a key. */
export interface AlibabaIdentity {
  /** Equal for the same identity; holds no secret. */
  readonly key: string;
  /** Throws ProviderError `IdentityUnavailable`, saying what is missing and how to create it. */
  fetchKey(world: ProviderWorld, signal: AbortSignal): Promise<AlibabaKey>;
}
