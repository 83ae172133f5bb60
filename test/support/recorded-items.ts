// A provider's part of items that takes everything and records it: what the configuration hands on, and nothing of a cloud.
import { readFields } from '../../src/core/fields.ts';
import type { ConfigContext } from '../../src/core/config.ts';
import type { ItemDefaults } from '../../src/core/item-defaults.ts';
import type { ItemParser } from '../../src/core/registry-items.ts';
import type { Config, Issue } from '../../src/core/types.ts';
import { parseConfig } from '../../src/core/config.ts';

/** What an item said, and what it inherits. */
export interface RecordedItem {
  readonly provider: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly defaults: ItemDefaults;
}

const TEXTS = [
  ...['instanceId', 'regionId', 'assumeRoleARN', 'expireDuration', 'rrsaRoleARN', 'rrsaOIDCProviderRoleARN'],
  ...['registryId', 'server', 'usernameKey', 'passwordKey'],
];
const SECRETS = ['customAccessKey', 'customAccessKeySecret'];
const OBJECTS = ['accessKeySecretRef', 'secretRef'];

/** Providers `acr`, `tcr` and `static`: every documented field, in any case; the cache key tells identity and instance apart. */
const parseItem: ItemParser = (provider, item, defaults) => {
  if (!['acr', 'tcr', 'static'].includes(provider)) return undefined;
  const reader = readFields(item);
  const texts = [...TEXTS, ...SECRETS].flatMap((name) => {
    const text = reader.text(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  const objects = OBJECTS.flatMap((name): readonly (readonly [string, unknown])[] => {
    const object = reader.object(name);
    return object === undefined ? [] : [[name, { name: object.text('name'), namespace: object.text('namespace') }]];
  });
  const domains = reader.list('domains');
  const identity: RecordedItem['fields'] = Object.fromEntries([...texts, ...objects]);
  const fields = { ...identity, domains };
  const issues = reader.issues();
  if (issues.some((issue) => issue.severity === 'error')) return { ok: false, issues };
  const target: RecordedItem = { provider, fields, defaults };
  return {
    ok: true,
    value: { provider, target, cacheKey: JSON.stringify([provider, identity]), hosts: domains },
    issues,
  };
};

/** What `parseConfig` is told. */
export const RECORDING_CONTEXT: ConfigContext = {
  parseItem,
  providers: ['acr', 'tcr', 'static'],
  namespace: 'kube-system',
};

/** The configuration of data that is right but for warnings, and those. */
export function recordedConfig(data: Readonly<Record<string, string>>): {
  readonly config: Config;
  readonly issues: readonly Issue[];
} {
  const parsed = parseConfig(data, RECORDING_CONTEXT);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { config: parsed.value, issues: parsed.issues };
}

/** What every item of the configuration said, in order. */
export function recordedItems(config: Config): readonly RecordedItem[] {
  return config.rules.flatMap((rule) => rule.requests.map((request) => request.target as RecordedItem));
}
