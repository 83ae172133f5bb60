// The part of cleaning up that is at clouds: whatever the master copy remembers as minted is revoked there.
import { stateSecretName } from '../core/names.ts';
import type { EpochMs } from '../core/types.ts';
import type { MintedRequest, Revocations } from '../credentials/revocation.ts';
import { parseSnapshot } from '../credentials/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import { createStateSecret } from '../kube/state-secret.ts';
import { parseMinted } from './minted.ts';
import { readState } from './state.ts';

/** What it is given. */
export interface CleanUpMintedOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** Namespace of the master copy. */
  readonly namespace: string;
  readonly dryRun: boolean;
  readonly revocations: Pick<Revocations, 'mints' | 'revoke'>;
  readonly now: () => EpochMs;
  readonly print: (line: string) => void;
  /** Could not be revoked: `what` names provider, place, registry and mode, and the id where it is known. */
  readonly onLeftBehind: (what: string, error: unknown) => void;
  /** No cloud is waited for any more: what was not revoked by then is left. */
  readonly patience: AbortSignal;
  readonly signal: AbortSignal;
}

/** Revokes all of it, one after the other; gives what could not be. Throws KubeError when the master copy cannot be read. */
export async function cleanUpMinted(options: CleanUpMintedOptions): Promise<readonly string[]> {
  const { client, namespace, instance, now, signal } = options;
  const place = { namespace, name: stateSecretName(instance), instance };
  const { minted, credentials } = await readState(createStateSecret(client, place), signal);
  const stored = credentials === undefined ? [] : parseSnapshot(credentials, now()).stored;
  const left: string[] = [];
  for (const { request } of parseMinted(minted)) {
    const id = stored.find(({ cacheKey }) => cacheKey === request.cacheKey)?.credential.id;
    const what = id === undefined ? request.cacheKey : `${request.cacheKey} (${id})`;
    if (!(await revoke(request, what, options))) left.push(what);
  }
  return left;
}

/** False = it was told that something is left. */
async function revoke(request: MintedRequest, what: string, options: CleanUpMintedOptions): Promise<boolean> {
  const { dryRun, revocations, print, onLeftBehind, patience } = options;
  if (!revocations.mints(request)) {
    // No later run could do more: it holds up nothing.
    print(`left alone at the cloud: what ${what} left, which another version of this program wrote down`);
    return true;
  }
  if (dryRun) {
    print(`would revoke at the cloud what ${what} left`);
    return true;
  }
  try {
    const ids = await revocations.revoke(request, { keep: undefined, isStill: () => true, signal: patience });
    for (const id of ids ?? []) print(`revoked at the cloud ${id} of ${request.cacheKey}`);
    return true;
  } catch (error) {
    onLeftBehind(what, error);
    return false;
  }
}
