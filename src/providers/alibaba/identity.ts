// How we authenticate to Alibaba Cloud: what every identity source yields.
import type { KeyStory } from '../assumed-session.ts';
import type { CloudIdentity } from '../identity.ts';

/** A key that signs calls. */
export interface AlibabaKey extends KeyStory {
  readonly accessKeyId: string;
  /** Secret. */
  readonly accessKeySecret: string;
  /** Only of sessions. Secret. */
  readonly securityToken?: string;
}

/** One way to come by a key. */
export type AlibabaIdentity = CloudIdentity<AlibabaKey>;
