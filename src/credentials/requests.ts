// Items of the configuration -> credential requests, by the provider that each names.
import type { ItemParser } from '../core/registry-items.ts';
import type { RegistryProvider, TargetDefaults } from '../providers/provider.ts';

/** Builds the parser that the configuration uses for the provider's part of an item. */
export function createItemParser(
  providers: ReadonlyMap<string, RegistryProvider<unknown>>,
  defaults: Omit<TargetDefaults, 'region'>,
): ItemParser {
  return (name, item, region) => {
    const provider = providers.get(name);
    if (provider === undefined) return undefined;
    const parsed = provider.parseTarget(item, { ...defaults, region });
    if (!parsed.ok) return parsed;
    const target = parsed.value;
    return {
      ok: true,
      issues: parsed.issues,
      value: {
        provider: name,
        target,
        cacheKey: provider.cacheKey(target),
        hosts: provider.registryHosts(target),
        secret: provider.secretUse(target),
      },
    };
  };
}
