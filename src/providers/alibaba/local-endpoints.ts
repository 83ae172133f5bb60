// Where STS is asked: inside the VPC first when the node is in that region.
import type { ProviderWorld } from '../provider.ts';
import type { ResolvedEndpoint } from '../resolved-endpoint.ts';
import { dependsOnLocalRegion, endpointsOf } from './endpoints.ts';
import type { IdentityPlace } from '../identity.ts';
import { readLocalRegion } from './metadata.ts';

/** The addresses in the order to try; the node is asked for its region only where that decides. */
export async function stsEndpoints(
  world: ProviderWorld,
  { region }: IdentityPlace,
  signal: AbortSignal,
): Promise<readonly ResolvedEndpoint[]> {
  const { endpoints } = world;
  const local = dependsOnLocalRegion('sts', endpoints) ? await readLocalRegion(world, signal) : undefined;
  return endpointsOf('sts', region, { endpoints, localRegion: local?.kind === 'known' ? local.region : undefined });
}
