// An `ImagePullSecret` as a source of user name and password, beside Secrets: what is read of it, and when it counts as changed.
import { createHash } from 'node:crypto';
import { isRecord } from './records.ts';
import type { SecretReference } from './types.ts';

/** Names the resource where Secrets are named: resources belong to no namespace, and Secrets always do. */
export function resourceReference(name: string): SecretReference {
  return { namespace: '', name };
}

/** True when the reference names a resource. */
export function isResourceReference({ namespace }: SecretReference): boolean {
  return namespace === '';
}

/** The reference as people name it. */
export function placeOf(reference: SecretReference): string {
  const { namespace, name } = reference;
  return isResourceReference(reference) ? `ImagePullSecret ${name}` : `Secret ${namespace}/${name}`;
}

/** What is read of the `spec` of a resource: user name and password as they are written. Secret. */
export function sourceDataOf(spec: unknown): Readonly<Record<string, string>> {
  const docker = isRecord(spec) && isRecord(spec.docker) ? spec.docker : {};
  const { username, password } = docker;
  return {
    ...(typeof username === 'string' ? { username } : {}),
    ...(typeof password === 'string' ? { password } : {}),
  };
}

/** Changes whenever user name or password do; tells nothing of them. */
export function sourceDigestOf(data: Readonly<Record<string, string>>): string {
  return `sha256:${createHash('sha256')
    .update(JSON.stringify([data.username, data.password]))
    .digest('hex')}`;
}
