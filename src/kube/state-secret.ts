// The calls that keep the Secret of the master copy.
import { KubeError } from '../core/errors.ts';
import { MANAGER } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient } from './client.ts';

type Texts = Readonly<Record<string, string>>;

/** Where it is. */
export interface StateSecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/** Longest such call, milliseconds. */
const DEADLINE_MS = 10_000;

/** Builds the calls; each throws KubeError. `signal` ends the wait for a turn, and a read; a write that was sent goes on. */
export function createStateSecret(client: KubeClient, { namespace, name }: StateSecretPlace) {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const path = `${collection}/${encodeURIComponent(name)}`;
  const query = { fieldManager: MANAGER };
  return {
    /** Decoded data; undefined = there is no such Secret. */
    async read(signal?: AbortSignal): Promise<Texts | undefined> {
      try {
        const { data } = await client.call({ method: 'GET', path, timeoutMs: DEADLINE_MS, signal });
        return isRecord(data) ? decode(data) : {};
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    /** Overwrites the data, or creates the Secret. */
    async write(
      { labels, data }: { readonly labels: Texts; readonly data: Texts },
      signal?: AbortSignal,
    ): Promise<void> {
      const body = { metadata: { labels }, data: encode(data) };
      try {
        await client.call({ method: 'PATCH', path, query, body, timeoutMs: DEADLINE_MS, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        const secret = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', ...body, metadata: { name, labels } };
        await client.call({ method: 'POST', path: collection, query, body: secret, timeoutMs: DEADLINE_MS, signal });
      }
    },
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.reason === 'NotFound';
}

function encode(data: Texts): Texts {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}

function decode(data: Readonly<Record<string, unknown>>): Texts {
  const texts = Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}
