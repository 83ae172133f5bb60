// The Secret of the master copy: written on exactly what was seen of it, so that nobody else's is read or overwritten.
import { KubeError } from '../core/errors.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { createObjectCalls, dataOf, encodeData, isOwnMasterCopy, secretPlace } from './one-object.ts';

type Texts = Readonly<Record<string, string>>;

/** Where it is, and whose it must be. */
export interface StateSecretPlace {
  readonly namespace: string;
  readonly name: string;
  readonly instance: string;
}

/**
 * Builds the calls; each throws KubeError, `AlreadyExists` for a write where somebody else's has the name. `signal` ends the wait for
 * a turn, and a read; a write that was sent goes on.
 */
export function createStateSecret(client: KubeClient, { namespace, name, instance }: StateSecretPlace) {
  const calls = createObjectCalls(client, secretPlace(namespace, name));
  let observed: KubeObject | undefined;

  const isForeign = (object: KubeObject | undefined): boolean =>
    object !== undefined && !isOwnMasterCopy(object, instance);
  const put = async (labels: Texts, data: Texts, signal: AbortSignal): Promise<void> => {
    if (isForeign(observed)) {
      throw new KubeError(
        'AlreadyExists',
        `Secret ${namespace}/${name} is somebody else's and is left alone: rename or delete it; until then nothing is remembered over a restart`,
      );
    }
    const body = { metadata: { labels }, data: encodeData(data) };
    const secret = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', ...body, metadata: { name, labels } };
    observed = await (observed === undefined ? calls.create(secret, signal) : calls.patch(observed, body, signal));
  };

  return {
    /** Decoded data; undefined = there is none of ours. */
    async read(signal: AbortSignal): Promise<Texts | undefined> {
      observed = await calls.read(signal);
      return observed === undefined || isForeign(observed) ? undefined : dataOf(observed);
    },
    /** Overwrites the data, or creates the Secret. */
    async write(
      { labels, data }: { readonly labels: Texts; readonly data: Texts },
      signal: AbortSignal,
    ): Promise<void> {
      // It may have been renamed or deleted since.
      if (isForeign(observed)) observed = await calls.read(signal);
      try {
        await put(labels, data, signal);
      } catch (error) {
        if (isForeign(observed) || !hasMoved(error)) throw error;
        observed = await calls.read(signal);
        await put(labels, data, signal);
      }
    },
  };
}

function hasMoved(error: unknown): boolean {
  return error instanceof KubeError && ['Conflict', 'AlreadyExists', 'NotFound'].includes(error.reason);
}
