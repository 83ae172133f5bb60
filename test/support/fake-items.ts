// The provider's part of items as tests need it: an id makes the credential, domains are its hosts, the rest is unknown.
import { readFields } from '../../src/core/fields.ts';
import type { ConfigContext } from '../../src/core/config.ts';
import type { ItemParser } from '../../src/core/registry-items.ts';

/** Providers `fake` and `acr`; the cache key of an item is its id, region and account. */
const parseItem: ItemParser = (provider, item, defaults) => {
  if (provider !== 'fake' && provider !== 'acr') return undefined;
  const fields = readFields(item);
  const id = fields.requiredText('id', 'name the instance');
  const region = fields.text('regionId') ?? defaults.region;
  const account = fields.text('account');
  const hosts = fields.list('domains');
  const secret = fields.text('customAccessKeySecret');
  if (secret !== undefined) fields.report('customAccessKeySecret', 'is not served');
  const issues = fields.issues();
  if (id === undefined || issues.some((issue) => issue.severity === 'error')) return { ok: false, issues };
  const cacheKey = [provider, id, region, account].filter((part) => part !== undefined).join('/');
  return { ok: true, value: { provider, target: { id, region }, cacheKey, hosts }, issues };
};

/** What `parseConfig` is told in tests. */
export const FAKE_CONTEXT: ConfigContext = { parseItem, providers: ['acr', 'fake'], namespace: 'kube-system' };
