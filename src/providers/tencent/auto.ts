// The identity of an item that leaves it to us: the first that is there, in the order of tcr.md section 14.
import type { ProviderError } from '../../core/errors.ts';
import { AbsentIdentity, fetchFirst } from '../first-identity.ts';
import { createCredentialsFileIdentity } from './credentials-file.ts';
import { createCvmRoleIdentity } from './cvm-role.ts';
import { createEnvironmentIdentity } from './environment.ts';
import type { TencentIdentity } from './identity.ts';
import type { StsClient } from './sts.ts';
import { createWebIdentity } from './web-identity.ts';

/** Builds it. */
export function createAutoIdentity(sts: StsClient): TencentIdentity {
  const role = { providerId: undefined, roleArn: undefined, tokenFile: undefined };
  const candidates = [
    { identity: createWebIdentity(sts, role), needs: 'pod identity of TKE' },
    { identity: createEnvironmentIdentity(sts), needs: 'a key in the environment' },
    { identity: createCredentialsFileIdentity(), needs: 'a credentials file' },
    { identity: createCvmRoleIdentity(), needs: 'a CAM role of the node' },
  ];
  return {
    key: 'auto',
    fetchKey: (world, place, signal) =>
      fetchFirst(
        candidates.map(({ identity, needs }) => ({ fetchKey: () => identity.fetchKey(world, place, signal), needs })),
        { mode: 'identity auto', isLacking },
      ),
  };
}

/** What is named whole and does not work is a failure: its place is not taken by one with other rights. */
function isLacking(error: unknown): error is ProviderError {
  return error instanceof AbsentIdentity;
}
