// Roles that were assumed, of any cloud, in a real store: the session outlasts the one that it was assumed with.
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import type { CredentialAnswer } from '../../../src/core/types.ts';
import type { IdentityOutcome } from '../../../src/credentials/store.ts';
import { createAccessKeyIdentity } from '../../../src/providers/alibaba/access-key.ts';
import { createAssumedRoleIdentity as assumedAtAlibaba } from '../../../src/providers/alibaba/assume-role.ts';
import { fetchAssumed, type KeyStory } from '../../../src/providers/assumed-session.ts';
import type { ProviderWorld } from '../../../src/providers/provider.ts';
import { createApiKeyIdentity } from '../../../src/providers/tencent/api-key.ts';
import { createAssumedRoleIdentity as assumedAtTencent } from '../../../src/providers/tencent/assume-role.ts';
import { createStoreHarness, SECRET, type StoreHarness } from '../credentials/store-world.ts';

const HOUR = 3_600_000;
const ROLE_ARN = 'arn-of-the-role';

const away = new ProviderError('CloudUnavailable', 'the metadata service is away');
const expired = (): ProviderError => new ProviderError('SessionExpired', 'OIDCToken.Expired');

/** A key of some cloud. */
interface Key extends KeyStory {
  readonly id: string;
}

/** A token of an hour is made with what `fetchKey` gives. */
function harnessOf(
  fetchKey: (world: ProviderWorld, signal: AbortSignal) => Promise<Key>,
  onIdentity: (outcome: IdentityOutcome) => void = () => undefined,
): StoreHarness {
  const harness = createStoreHarness({ onIdentity });
  harness.fetch = async (world, signal) => {
    const key = await fetchKey(world, signal);
    const issuedAt = world.now();
    const identity = `${key.origin} (${key.choice ?? ''})`;
    return { username: 'robot', password: key.id, identity, issuedAt, expiresAt: issuedAt + HOUR };
  };
  return harness;
}

/** A base session of an hour assumes a role for twelve. */
function cloud() {
  const state = { bases: 0, assumed: 0, baseErrors: [] as Error[] };
  const outcomes: IdentityOutcome[] = [];
  const session = (id: string, lifeMs: number) => ({
    ...{ value: { id }, issuedAt: harness.now(), expiresAt: harness.now() + lifeMs, secrets: [] },
  });
  const fetchBase = async (world: ProviderWorld, signal: AbortSignal): Promise<Key> => {
    const fetch = () => {
      state.bases += 1;
      const error = state.baseErrors.shift();
      return error === undefined ? Promise.resolve(session('base', HOUR)) : Promise.reject(error);
    };
    return { ...(await world.identity('base', fetch, signal)), origin: 'the base', account: 'base', choice: 'so' };
  };
  const harness = harnessOf(
    (world, signal) =>
      fetchAssumed(
        world,
        {
          ...{ name: 'assumed', roleArn: ROLE_ARN, account: 'role' },
          fetchBase: () => fetchBase(world, signal),
          idOf: () => undefined,
          prepare: () => Promise.resolve(() => Promise.resolve(session(`assumed-${(state.assumed += 1)}`, 12 * HOUR))),
        },
        signal,
      ),
    (outcome) => void outcomes.push(outcome),
  );
  return { state, outcomes, harness, ask: (): Promise<CredentialAnswer> => harness.ask(harness.now() - 1) };
}

const freshOf = (password: string) => ({ status: 'fresh', credential: { password } });

describe('a role that was assumed with a session', () => {
  test('works on when that session has ended and there is no other', async () => {
    const { state, outcomes, harness } = cloud();
    expect(await harness.ask()).toMatchObject(freshOf('assumed-1'));
    state.baseErrors = Array<Error>(1_000).fill(away);
    for (let hour = 1; hour < 12; hour += 1) {
      await harness.advance(HOUR);
      expect(await harness.ask()).toMatchObject(freshOf('assumed-1'));
    }
    // It is told as before, and once that it could not be renewed.
    expect(harness.outcomes).toHaveLength(1);
    expect(harness.outcomes[0]).toMatchObject({
      credential: { identity: `${ROLE_ARN}, assumed by the base (so)` },
    });
    expect(outcomes.filter(({ error }) => error !== undefined)).toMatchObject([{ key: 'assumed', error: away }]);
    await harness.advance(HOUR);
    expect(await harness.ask()).toMatchObject({ status: 'unavailable', failure: { reason: 'CloudUnavailable' } });
  });

  test('is assumed anew as soon as there is another, when it is due', async () => {
    const { state, harness, ask } = cloud();
    await harness.ask();
    await harness.advance(11 * HOUR);
    state.baseErrors = [away];
    expect(await harness.ask()).toMatchObject(freshOf('assumed-1'));
    await harness.advance(60_000);
    expect(await ask()).toMatchObject(freshOf('assumed-2'));
  });

  test('fails as its base when it was never assumed', async () => {
    const { state, harness } = cloud();
    state.baseErrors = [away];
    expect(await harness.ask()).toMatchObject({ failure: { reason: 'CloudUnavailable', message: away.message } });
    expect(state.assumed).toBe(0);
  });

  test.each<[string, number, number, Error[], string, number]>([
    ['when it is not due, whatever becomes of the next', 1, 1, [expired(), expired()], 'assumed-1', 1],
    ['when it is due and the next is refused, too', 11, 1, [expired(), expired()], 'assumed-1', 2],
    ['not when it is due and the next is accepted', 11, 2, [expired()], 'assumed-2', 2],
    ['not when there was none', 0, 1, [expired()], 'assumed-1', 2],
  ])('whose base is refused as expired is used %s', async (_when, hours, assumed, errors, password, asked) => {
    const { state, harness } = cloud();
    if (hours > 0) await harness.ask();
    await harness.advance(hours * HOUR);
    state.bases = 0;
    state.baseErrors = errors;
    expect(await harness.ask()).toMatchObject(freshOf(password));
    expect(state).toMatchObject({ bases: asked, assumed });
  });

  test('does not hide a mistake of our own', async () => {
    const { state, harness } = cloud();
    await harness.ask();
    await harness.advance(2 * HOUR);
    state.baseErrors = [new TypeError('ours')];
    expect(await harness.ask()).toMatchObject({ failure: { reason: 'Unexpected' } });
  });
});

describe('a role that was assumed with a key of', () => {
  const role = { durationSeconds: 43_200, externalId: undefined };
  const neverAsked = () => Promise.reject(new Error('not asked for'));

  /** A role of each cloud, assumed with the key in a Secret; `next` numbers the sessions. */
  const clouds: readonly [
    string,
    readonly [string, string],
    (next: () => string) => Parameters<typeof harnessOf>[0],
  ][] = [
    [
      'Alibaba Cloud',
      ['access-key-id', 'access-key-secret'],
      (next) => {
        const sts = {
          assumeRole: ({ now }: { readonly now: number }) => {
            const value = { accessKeyId: next(), accessKeySecret: 'fake-secret', securityToken: 'fake-token' };
            return Promise.resolve({ value, issuedAt: now, expiresAt: now + 12 * HOUR, secrets: [] });
          },
          assumeRoleWithOidc: neverAsked,
        };
        const roleArn = 'acs:ram::2000000000000002:role/acr-b';
        const identity = assumedAtAlibaba(sts, createAccessKeyIdentity(SECRET), { ...role, roleArn });
        const endpoints = { alibaba: { sts: { url: 'https://sts.example' } } };
        return async (world, signal) => {
          const key = await identity.fetchKey({ ...world, endpoints }, { region: 'cn-hangzhou' }, signal);
          return { ...key, id: key.accessKeyId };
        };
      },
    ],
    [
      'Tencent Cloud',
      ['secret-id', 'secret-key'],
      (next) => {
        const sts = {
          assumeRole: (call: { readonly now: () => number }) => {
            const value = { secretId: next(), secretKey: 'fake-secret', token: 'fake-token' };
            return Promise.resolve({ value, issuedAt: call.now(), expiresAt: call.now() + 12 * HOUR, secrets: [] });
          },
          assumeRoleWithWebIdentity: neverAsked,
        };
        const roleArn = 'qcs::cam::uin/100000000002:roleName/tcr-b';
        const identity = assumedAtTencent(sts, createApiKeyIdentity(SECRET), { ...role, roleArn });
        return async (world, signal) => {
          const key = await identity.fetchKey(world, { region: 'ap-guangzhou' }, signal);
          return { ...key, id: key.secretId };
        };
      },
    ],
  ];

  test.each(clouds)(
    '%s is gone with the key, and assumed anew with another',
    async (_cloud, [idName, keyName], build) => {
      let sessions = 0;
      const harness = harnessOf(build(() => `assumed-${(sessions += 1)}`));
      const put = (id: string): void => {
        harness.secrets.set(`${SECRET.namespace}/${SECRET.name}`, { [idName]: id, [keyName]: 'fake-secret' });
      };
      put('fake-one');
      expect(await harness.ask()).toMatchObject(freshOf('assumed-1'));
      harness.secrets.clear();
      await harness.advance(2 * HOUR);
      expect(await harness.ask()).toMatchObject({ status: 'unavailable', failure: { reason: 'IdentityUnavailable' } });
      put('fake-other');
      harness.store.secretChanged(SECRET);
      await harness.ask();
      await harness.advance(0);
      expect(await harness.ask()).toMatchObject(freshOf('assumed-2'));
    },
  );
});
