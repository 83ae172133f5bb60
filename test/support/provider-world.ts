// The world as providers see it, with nothing in it: each test puts in what its case is about.
import { NO_ITEM_DEFAULTS } from '../../src/core/item-defaults.ts';
import { ProviderError } from '../../src/core/errors.ts';
import { Identities } from '../../src/credentials/identities.ts';
import type { MetadataRequest, Owner, ProviderWorld, TargetDefaults } from '../../src/providers/provider.ts';
import type { StoreWorld } from '../../src/credentials/store.ts';

/** 2026-01-02T03:04:05Z. */
export const WORLD_NOW = Date.parse('2026-01-02T03:04:05Z');

/** What a controller without further settings tells parsers, but for a region. */
export const TARGET_DEFAULTS: TargetDefaults = {
  ...NO_ITEM_DEFAULTS,
  region: 'cn-hangzhou',
  namespace: 'kube-system',
  secretNamespaces: [],
};

/** The installation that the world is of. */
export const SAMPLE_OWNER: Owner = { cluster: '0b5c7a1e-1111-4222-8333-444444444444', instance: 'default' };

const nothing = (what: string) => (): Promise<never> =>
  Promise.reject(new ProviderError('IdentityUnavailable', `There is no ${what}`));

/** The parts that the store does not make itself. */
export function emptyStoreWorld(more: Partial<StoreWorld> = {}): StoreWorld {
  return {
    now: () => WORLD_NOW,
    readSecret: () => Promise.resolve(undefined),
    requestToken: nothing('ServiceAccount'),
    readFile: nothing('file'),
    http: ({ url }: MetadataRequest) =>
      Promise.reject(new ProviderError('CloudUnavailable', `no metadata service answers at ${new URL(url).host}`)),
    env: {},
    endpoints: {},
    owner: () => Promise.resolve(SAMPLE_OWNER),
    ...more,
  };
}

/** A world whose sessions are really held, for as long as the world lives. */
export function emptyWorld(more: Partial<ProviderWorld> = {}): ProviderWorld {
  const parts = {
    ...emptyStoreWorld(),
    readSecret: ({ namespace, name }: { readonly namespace: string; readonly name: string }) =>
      nothing(`Secret ${namespace}/${name}`)(),
    ...more,
  };
  const identities = new Identities({
    now: () => parts.now(),
    thresholdMs: () => 15 * 60_000,
    register: () => undefined,
  });
  return {
    identity: (key, fetch, signal) => identities.get(key, fetch, signal),
    replace: (key, value, fetch, signal) => identities.replace({ key, value }, fetch, signal),
    ...parts,
  };
}
