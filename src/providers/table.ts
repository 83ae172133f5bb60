// Every provider, one line each.
import { createAcrProvider, createAcrServices } from './alibaba/acr.ts';
import { ALIBABA_VARIABLES } from './alibaba/environment.ts';
import type { RegistryProvider } from './provider.ts';
import { createResourceProvider } from './static/image-pull-secret.ts';
import { createStaticProvider } from './static/static.ts';
import { TENCENT_VARIABLES } from './tencent/environment.ts';
import { createTcrProvider } from './tencent/tcr.ts';

/**
 * The providers by the name that the configuration calls them; each account of Alibaba Cloud makes `requestsPerSecond` in a region at
 * most. Tencent Cloud bounds each action by itself.
 */
export function createProviders(
  options: { readonly requestsPerSecond?: number } = {},
): ReadonlyMap<string, RegistryProvider<unknown>> {
  const acr = createAcrProvider(createAcrServices(options));
  // The one place where targets lose their type: each target goes back to the provider that parsed it.
  const rows = [acr, createTcrProvider(), createStaticProvider()] as unknown as readonly RegistryProvider<unknown>[];
  return new Map(rows.map((provider) => [provider.name, provider]));
}

/** The same, and the one that only custom resources lead to: no item of the ConfigMap may name it. */
export function withResourceProvider(
  providers: ReadonlyMap<string, RegistryProvider<unknown>>,
): ReadonlyMap<string, RegistryProvider<unknown>> {
  const provider = createResourceProvider() as unknown as RegistryProvider<unknown>;
  return new Map([...providers, [provider.name, provider]]);
}

/**
 * Services that the providers call, by cloud: what `--cloud-endpoints` may name. A misspelt one would leave the calls to the
 * public address.
 */
export const CLOUD_SERVICES: Readonly<Record<string, readonly string[]>> = {
  alibaba: ['cr', 'sts', 'metadata'],
  tencent: ['tcr', 'sts', 'metadata'],
};

/** Environment variables that identities read: those of the clouds' own tools and injectors. */
export const IDENTITY_VARIABLES: readonly string[] = [...ALIBABA_VARIABLES, ...TENCENT_VARIABLES];
