// One function per kind of planned write: a single guarded API call each.
import type { Write } from '../core/types.ts';
import type { KubeClient, KubeObject } from './client.ts';

type WriteOf<K extends Write['kind']> = Extract<Write, { kind: K }>;

/** Makes the call for any kind of write. */
export declare function makeWrite(
  client: KubeClient,
  instance: string,
): (write: Write, signal: AbortSignal) => Promise<KubeObject>;
export declare function createSecret(
  client: KubeClient,
  write: WriteOf<'create-secret'>,
  signal: AbortSignal,
): Promise<KubeObject>;
export declare function updateSecret(
  client: KubeClient,
  write: WriteOf<'update-secret' | 'replace-secret'>,
  signal: AbortSignal,
): Promise<KubeObject>;
export declare function replaceSecret(
  client: KubeClient,
  write: WriteOf<'update-secret' | 'replace-secret'>,
  signal: AbortSignal,
): Promise<KubeObject>;
export declare function deleteSecret(
  client: KubeClient,
  write: WriteOf<'delete-secret'>,
  signal: AbortSignal,
): Promise<KubeObject>;
export declare function patchServiceAccount(
  client: KubeClient,
  instance: string,
  write: WriteOf<'patch-service-account'>,
  signal: AbortSignal,
): Promise<KubeObject>;
/** undefined = there is none. */
export declare function readSecret(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<KubeObject | undefined>;
/** Field managers that own `imagePullSecrets`, newest first. */
export declare function readServiceAccountManagers(
  client: KubeClient,
  at: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<readonly string[]>;
