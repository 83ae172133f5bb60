// Whether there is a metadata service at all: where none is, nothing ever answers; the network of a node that has just started may
// only not be up yet, and what has answered may be away for a moment.
import type { EpochMs } from '../core/types.ts';
import type { MetadataAnswer, MetadataRequest, ProviderWorld } from './provider.ts';

/** Silence for so long means that there is none. */
const SILENCE_MS = 30_000;

type World = Pick<ProviderWorld, 'now' | 'identity'>;

/** What is remembered of a service for as long as the process lives. */
interface Silence {
  /** When it was first found silent after its last answer; undefined = it is not. */
  since: EpochMs | undefined;
}

/** Asks the service of `cloud`, and remembers that it answers. Throws as `world.http` does. */
export async function askMetadata(
  world: World & Pick<ProviderWorld, 'http'>,
  cloud: string,
  request: MetadataRequest,
  signal: AbortSignal,
): Promise<MetadataAnswer> {
  const answer = await world.http(request, signal);
  const silence = await silenceOf(world, cloud, signal);
  silence.since = undefined;
  return answer;
}

/** True when the service of `cloud`, which has just not answered, was first found silent long ago and has not answered since. */
export async function isLongSilent(world: World, cloud: string, signal: AbortSignal): Promise<boolean> {
  const silence = await silenceOf(world, cloud, signal);
  const now = world.now();
  silence.since ??= now;
  return now - silence.since >= SILENCE_MS;
}

function silenceOf(world: World, cloud: string, signal: AbortSignal): Promise<Silence> {
  const fetch = () =>
    Promise.resolve({ value: { since: undefined }, issuedAt: world.now(), expiresAt: undefined, secrets: [] });
  return world.identity<Silence>(`${cloud}/metadata/silence`, fetch, signal);
}
