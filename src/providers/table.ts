// Every provider, one line each.
import { createAcrProvider } from './alibaba/acr.ts';
import type { RegistryProvider } from './provider.ts';
import { createStaticProvider } from './static/static.ts';

/** The providers by the name that the configuration calls them. */
export function createProviders(): ReadonlyMap<string, RegistryProvider<unknown>> {
  // The one place where targets lose their type: each target goes back to the provider that parsed it.
  const rows = [createAcrProvider(), createStaticProvider()] as unknown as readonly RegistryProvider<unknown>[];
  return new Map(rows.map((provider) => [provider.name, provider]));
}

/**
 * Services that the providers call, by cloud: what `--cloud-endpoints` may name. A misspelt one would leave the calls to the
 * public address.
 */
export const CLOUD_SERVICES: Readonly<Record<string, readonly string[]>> = { alibaba: ['cr'] };
