// Short-lived tokens of ServiceAccounts, signed by the cluster: what clouds trust by OIDC.
import { KubeError } from '../core/errors.ts';
import { MANAGED_BY_LABEL, MANAGER } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient } from './client.ts';

/** What is asked for. */
export interface TokenWish {
  readonly namespace: string;
  readonly name: string;
  readonly audience: string;
  readonly signal: AbortSignal;
  /** Make the ServiceAccount when there is none: trust policies name it, and the add-on that made it may be gone. */
  readonly createMissing: boolean;
}

/** Shorter than the session that it is traded for: it is used once, at once. */
const EXPIRATION_SECONDS = 3_600;

/** Asks for a token. Throws KubeError. */
export async function requestToken(client: KubeClient, wish: TokenWish): Promise<string> {
  try {
    return await ask(client, wish);
  } catch (error) {
    if (!wish.createMissing || !(error instanceof KubeError) || error.reason !== 'NotFound') throw error;
    await createServiceAccount(client, wish);
    return ask(client, wish);
  }
}

async function ask(client: KubeClient, { namespace, name, audience, signal }: TokenWish): Promise<string> {
  const path = `${pathOf(namespace)}/${encodeURIComponent(name)}/token`;
  const spec = { audiences: [audience], expirationSeconds: EXPIRATION_SECONDS };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const { status } = await client.call({ method: 'POST', path, body, signal });
  const token = isRecord(status) ? status.token : undefined;
  if (typeof token === 'string' && token !== '') return token;
  throw new KubeError('BadAnswer', `the token of ServiceAccount ${namespace}/${name} is missing in the answer`);
}

async function createServiceAccount(client: KubeClient, { namespace, name, signal }: TokenWish): Promise<void> {
  const metadata = { name, labels: { [MANAGED_BY_LABEL]: MANAGER } };
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false };
  const query = { fieldManager: MANAGER };
  try {
    await client.call({ method: 'POST', path: pathOf(namespace), query, body, signal });
  } catch (error) {
    if (!(error instanceof KubeError) || error.reason !== 'AlreadyExists') throw error;
  }
}

function pathOf(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts`;
}
