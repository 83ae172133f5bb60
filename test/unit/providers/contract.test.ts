// What every provider owes the rest of the program, checked for each row of the table.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProviderError } from '../../../src/core/errors.ts';
import { isRegistryHost } from '../../../src/core/registry-host.ts';
import type { ProviderWorld, RegistryProvider } from '../../../src/providers/provider.ts';
import { createProviders } from '../../../src/providers/table.ts';
import { emptyWorld, TARGET_DEFAULTS } from '../../support/provider-world.ts';

const DEFAULTS = TARGET_DEFAULTS;

/** One item that is right, for each provider. */
const ITEMS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  acr: { instanceId: 'cri-fake0000', domains: 'a.example,b.example', accessKeySecretRef: { name: 'fake-key' } },
  tcr: { registryId: 'tcr-fake0000', domains: 'a.example,b.example', apiKeySecretRef: { name: 'fake-key' } },
  static: { domains: ['a.example'], secretRef: { name: 'fake-login' } },
};

/** Keys of Secrets that any of them reads. */
const SECRET_KEYS = ['access-key-id', 'access-key-secret', 'secret-id', 'secret-key', 'token', 'username', 'password'];

/** Texts and shapes that people and attackers write, more often than chance would. */
const hostile = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    'cri-a,cri-b',
    '*.tencentcloudcr.com',
    'longterm',
    'robot',
    'https://user:fake-password@host/v2',
    '../../etc',
    '{region}',
    'a'.repeat(10_000),
    '*',
    '[::1]:99999',
  ),
  fc.record({ name: fc.jsonValue(), namespace: fc.jsonValue() }),
);

/** The world without anything in it: no Secret, no network. */
const nowhere = emptyWorld();

test('the table names each provider as the provider names itself', () => {
  const providers = createProviders();
  expect([...providers.keys()].sort()).toEqual(Object.keys(ITEMS).sort());
  for (const [name, provider] of providers) expect(provider.name).toBe(name);
});

describe.each([...createProviders().values()])('provider $name', (provider) => {
  const item = ITEMS[provider.name] ?? {};

  test('parseTarget never throws, and every issue has a path and a sentence', () => {
    const names = fc.oneof(
      fc.constantFrom(
        ...Object.keys(item),
        'server',
        'regionId',
        'customAccessKey',
        'tokenMode',
        'namespaces',
        'webIdentity',
      ),
      fc.string({ minLength: 1 }),
    );
    fc.assert(
      fc.property(fc.dictionary(names, hostile), (input) => {
        const parsed = provider.parseTarget(input, DEFAULTS);
        for (const { path, message } of parsed.issues) {
          expect(path).not.toBe('');
          expect(message).toMatch(/^\S.{8,}[^.\s]$/s);
        }
        expect(parsed.ok).toBe(!parsed.issues.some((issue) => issue.severity === 'error'));
        if (parsed.ok) checkTarget(provider, parsed.value);
      }),
      { numRuns: 500 },
    );
  });

  test('an item that is right has no issue', () => {
    expect(provider.parseTarget(item, DEFAULTS)).toMatchObject({ ok: true, issues: [] });
  });

  test('an unknown field is a warning that names it', () => {
    const parsed = provider.parseTarget({ ...item, domainz: 'x' }, DEFAULTS);
    expect(parsed).toMatchObject({ ok: true, issues: [{ severity: 'warning', path: 'domainz' }] });
  });

  test('the cache key is stable and differs by the Secret, not by the hosts', () => {
    const key = provider.cacheKey(targetOf(provider, item));
    expect(provider.cacheKey(targetOf(provider, structuredClone(item)))).toBe(key);
    expect(provider.cacheKey(targetOf(provider, { ...item, domains: 'other.example' }))).toBe(key);
    const [reference] = Object.keys(item).filter((name) => name.endsWith('Ref'));
    const other = provider.cacheKey(targetOf(provider, { ...item, [reference ?? '']: { name: 'fake-other' } }));
    expect(other).not.toBe(key);
  });

  test('tells which Secret it reads, and whether it publishes what that holds', () => {
    const reference = { namespace: 'kube-system', name: expect.stringMatching(/^fake-/) as unknown };
    expect(provider.secretUse(targetOf(provider, item))).toEqual({ reference, published: provider.name === 'static' });
  });

  test('fetchCredential fails with a ProviderError that names the missing Secret and how to create it', async () => {
    const failure = await fetchFrom(provider, item, nowhere);
    expect(failure).toBeInstanceOf(ProviderError);
    expect(failure).toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(
        /There is no Secret kube-system\/fake-\w+: create it with `kubectl -n kube-system create secret generic fake-/,
      ),
    });
  });

  test('a Secret that lacks its keys is named with the keys', async () => {
    const failure = await fetchFrom(provider, item, { ...nowhere, readSecret: () => Promise.resolve({ other: 'x' }) });
    expect(failure).toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(/lacks the keys \S+ and \S+/),
    });
  });

  test('whatever the Secret holds, only ProviderErrors come out, without its values', async () => {
    const value = fc.oneof(fc.string(), fc.constantFrom('fake:secret:value', '\n', 'ключ', '\u0000'));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...SECRET_KEYS), value), async (data) => {
        // Aborted from the start: no call is made.
        const world = { ...nowhere, readSecret: () => Promise.resolve(data) };
        const ended = await fetchFrom(provider, item, world, AbortSignal.abort());
        if (ended === undefined) return;
        expect(ended).toBeInstanceOf(ProviderError);
        for (const text of Object.values(data).filter((one) => one.trim().length > 8))
          expect((ended as Error).message).not.toContain(text);
      }),
      { numRuns: 30 },
    );
  });

  test('says that it leaves nothing behind at the cloud unless told to, and then revokes nothing', async () => {
    const target = targetOf(provider, item);
    expect(provider.mints(target)).toBe(false);
    const options = { keep: undefined };
    await expect(provider.revokeCredentials(target, options, nowhere, AbortSignal.abort())).resolves.toEqual([]);
  });

  test('an aborted signal ends the attempt', async () => {
    const data = Object.fromEntries(SECRET_KEYS.map((key) => [key, 'fake']));
    const ended = fetchFrom(
      provider,
      item,
      { ...nowhere, readSecret: () => Promise.resolve(data) },
      AbortSignal.abort(),
    );
    expect([undefined, 'CloudUnavailable']).toContain(((await ended) as ProviderError | undefined)?.reason);
  });
});

function checkTarget(provider: RegistryProvider<unknown>, target: unknown): void {
  const key = provider.cacheKey(target);
  expect(key).toMatch(new RegExp(`^${provider.name}/[\\x21-\\x7e]+$`));
  expect(key).toBe(provider.cacheKey(structuredClone(target)));
  const remembered: unknown = JSON.parse(JSON.stringify(provider.revocationTarget(target)));
  expect([provider.cacheKey(remembered), provider.mints(remembered)]).toEqual([key, provider.mints(target)]);
  for (const host of provider.registryHosts(target) ?? []) expect(isRegistryHost(host)).toBe(true);
}

function targetOf(provider: RegistryProvider<unknown>, item: Readonly<Record<string, unknown>>): unknown {
  const parsed = provider.parseTarget(item, DEFAULTS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
}

/** What the attempt threw; undefined = nothing. */
async function fetchFrom(
  provider: RegistryProvider<unknown>,
  item: Readonly<Record<string, unknown>>,
  world: ProviderWorld,
  signal: AbortSignal = new AbortController().signal,
): Promise<unknown> {
  try {
    await provider.fetchCredential(targetOf(provider, item), world, signal);
    return undefined;
  } catch (error) {
    return error;
  }
}
