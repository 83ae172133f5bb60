// Whether there is a metadata service at all: where none is, nothing ever answers; the network of a node that has just started may
// only not be up yet.
import type { EpochMs } from '../core/types.ts';
import type { ProviderWorld } from './provider.ts';

/** Silence for so long means that there is none. */
const SILENCE_MS = 30_000;

/** True when the service of `cloud`, which has just not answered, was first found silent long ago. */
export async function isLongSilent(
  world: Pick<ProviderWorld, 'now' | 'identity'>,
  cloud: string,
  signal: AbortSignal,
): Promise<boolean> {
  const now = world.now();
  const first = { value: now, issuedAt: now, expiresAt: undefined, secrets: [] };
  const since = await world.identity<EpochMs>(`${cloud}/metadata/silent-since`, () => Promise.resolve(first), signal);
  return now - since >= SILENCE_MS;
}
