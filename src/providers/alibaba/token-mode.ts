// Which identity an item has that names none: by `tokenMode`, and for `auto` by what is there (acr.md section 6).
import { ProviderError } from '../../core/errors.ts';
import type { TokenMode } from '../../core/item-defaults.ts';
import { fetchFirst } from '../first-identity.ts';
import { ADDON_SECRET, createAccessKeyIdentity } from './access-key.ts';
import type { AlibabaIdentity } from './identity.ts';
import { createManagedRoleIdentity } from './managed-role.ts';
import { createWorkerRoleIdentity } from './worker-role.ts';

/** Builds the identity of `mode`. `isBase` = another role is assumed with it, which managed roles may not. */
export function createTokenModeIdentity(mode: TokenMode, { isBase }: { readonly isBase: boolean }): AlibabaIdentity {
  if (mode === 'managedRole') return chosen(createManagedRoleIdentity(), 'tokenMode is managedRole');
  if (mode === 'workerRole') return chosen(createWorkerRoleIdentity(), 'tokenMode is workerRole');
  return {
    key: isBase ? 'auto-base' : 'auto',
    fetchKey: (world, place, signal) =>
      fetchFirst(
        candidates(isBase).map(({ identity, needs }) => ({
          fetchKey: () => identity.fetchKey(world, place, signal),
          needs,
        })),
        { mode: 'tokenMode auto', isLacking },
      ),
  };
}

interface Candidate {
  readonly identity: AlibabaIdentity;
  /** What must be there for it, for messages. */
  readonly needs: string;
}

function candidates(isBase: boolean): readonly Candidate[] {
  const worker = { identity: createWorkerRoleIdentity(), needs: 'a worker RAM role of the node' };
  const managed = { identity: createManagedRoleIdentity(), needs: 'the managed role' };
  const accessKey = { identity: createAccessKeyIdentity(ADDON_SECRET), needs: 'an AccessKey' };
  return isBase ? [worker, managed, accessKey] : [managed, accessKey, worker];
}

/** True when there is no such identity here; false when there is one that does not work now. */
function isLacking(error: unknown): error is ProviderError {
  return error instanceof ProviderError && error.reason === 'IdentityUnavailable' && !isTransient(error.cause);
}

/** A Secret that could not be read for any reason but a missing right may be there. */
function isTransient(cause: unknown): boolean {
  return cause !== undefined && (cause as { readonly reason?: unknown }).reason !== 'Forbidden';
}

function chosen(identity: AlibabaIdentity, choice: string): AlibabaIdentity {
  return {
    key: identity.key,
    fetchKey: async (world, place, signal) => ({ ...(await identity.fetchKey(world, place, signal)), choice }),
  };
}
