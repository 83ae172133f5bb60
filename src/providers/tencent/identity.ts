// How we authenticate to Tencent Cloud: what every identity source yields.
import type { KeyStory } from '../assumed-session.ts';
import type { CloudIdentity } from '../identity.ts';

/** A key that signs calls. */
export interface TencentKey extends KeyStory {
  readonly secretId: string;
  /** Secret. */
  readonly secretKey: string;
  /** Only of sessions. Secret. */
  readonly token?: string;
}

/** One way to come by a key. */
export type TencentIdentity = CloudIdentity<TencentKey>;
