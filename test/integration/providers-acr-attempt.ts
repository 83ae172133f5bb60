// One attempt of provider `acr` at a simulated cloud, with the sample key and instance unless a test says otherwise.
import { readFile } from 'node:fs/promises';
import type { Credential } from '../../src/core/types.ts';
import type { AcrTarget } from '../../src/providers/alibaba/target.ts';
import type { CloudEndpoints, RegistryProvider, ServiceEndpoint } from '../../src/providers/provider.ts';
import { SAMPLE, type Clouds } from '../support/clouds/clouds.ts';
import { emptyWorld, TARGET_DEFAULTS } from '../support/provider-world.ts';

/** Parses an item and fetches its credential; `item` and `key` change what they name. */
export async function attemptCredential(options: {
  readonly provider: RegistryProvider<AcrTarget>;
  readonly endpoints: CloudEndpoints;
  readonly item?: Readonly<Record<string, unknown>> | undefined;
  readonly key?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<Credential> {
  const { provider, endpoints, item, key, signal = new AbortController().signal } = options;
  const { accessKeyId, accessKeySecret } = SAMPLE.accessKey;
  const world = emptyWorld({
    now: Date.now,
    endpoints,
    readSecret: () => Promise.resolve({ 'access-key-id': accessKeyId, 'access-key-secret': accessKeySecret, ...key }),
  });
  const own = { instanceId: SAMPLE.instance.instanceId, accessKeySecretRef: { name: 'sample-key' } };
  const parsed = provider.parseTarget({ ...own, ...item }, TARGET_DEFAULTS);
  if (!parsed.ok) throw new Error('refused');
  return provider.fetchCredential(parsed.value, world, signal);
}

/** How the program is told where the simulated registry API is. */
export async function endpointOf(clouds: Clouds): Promise<ServiceEndpoint> {
  const { url, host, caFile } = clouds.endpoints().alibaba.cr;
  return { url, host, ...(caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }) };
}
