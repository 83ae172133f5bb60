// Which identity an item of Tencent Cloud has: as the item says, and one more role where it names one (tcr.md section 14).
import type { SecretReference } from '../../core/types.ts';
import { createApiKeyIdentity } from './api-key.ts';
import { createAssumedRoleIdentity, type AssumedRole } from './assume-role.ts';
import { createAutoIdentity } from './auto.ts';
import { createCredentialsFileIdentity } from './credentials-file.ts';
import { createCvmRoleIdentity } from './cvm-role.ts';
import { createEnvironmentIdentity } from './environment.ts';
import type { TencentIdentity } from './identity.ts';
import type { StsClient } from './sts.ts';
import { createWebIdentity, type WebIdentityRole } from './web-identity.ts';

/** How we authenticate before another role is assumed. Holds no secret. */
export type BaseIdentity =
  /** `apiKeySecretRef`. */
  | { readonly kind: 'secret'; readonly secret: SecretReference }
  | { readonly kind: 'web-identity'; readonly role: WebIdentityRole }
  | { readonly kind: 'environment' }
  | { readonly kind: 'file' }
  | { readonly kind: 'cvm-role' }
  /** The first of the last four that is there. */
  | { readonly kind: 'auto' };

/** The identity of an item. */
export interface IdentityChoice {
  readonly base: BaseIdentity;
  /** undefined = the base is who we are. */
  readonly assumedRole: AssumedRole | undefined;
}

/** Builds the identity. */
export function identityOf({ base, assumedRole }: IdentityChoice, sts: StsClient): TencentIdentity {
  const identity = baseIdentityOf(base, sts);
  return assumedRole === undefined ? identity : createAssumedRoleIdentity(sts, identity, assumedRole);
}

function baseIdentityOf(base: BaseIdentity, sts: StsClient): TencentIdentity {
  switch (base.kind) {
    case 'secret':
      return createApiKeyIdentity(base.secret);
    case 'web-identity':
      return createWebIdentity(sts, base.role);
    case 'environment':
      return createEnvironmentIdentity(sts);
    case 'file':
      return createCredentialsFileIdentity();
    case 'cvm-role':
      return createCvmRoleIdentity();
    case 'auto':
      return createAutoIdentity(sts);
  }
}
