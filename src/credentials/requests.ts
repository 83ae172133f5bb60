// Items of the configuration -> credential requests, by the provider that each names.
import type { ItemDefaults } from '../core/item-defaults.ts';
import type { ItemParser } from '../core/registry-items.ts';
import type { RegistryProvider, TargetDefaults } from '../providers/provider.ts';

/** Builds the parser that the configuration uses for the provider's part of an item. */
export function createItemParser(
  providers: ReadonlyMap<string, RegistryProvider<unknown>>,
  defaults: Omit<TargetDefaults, keyof ItemDefaults>,
): ItemParser {
  return (name, item, inherited) => {
    const provider = providers.get(name);
    if (provider === undefined) return undefined;
    const parsed = provider.parseTarget(item, { ...defaults, ...inherited });
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
