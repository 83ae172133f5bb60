// A role that was assumed with a session, in a real store: the session outlasts the one that it was assumed with.
import { describe, expect, test } from '@jest/globals';
import { ProviderError } from '../../../src/core/errors.ts';
import type { CredentialAnswer } from '../../../src/core/types.ts';
import type { IdentityOutcome } from '../../../src/credentials/store.ts';
import { createAccessKeyIdentity } from '../../../src/providers/alibaba/access-key.ts';
import { createAssumedRoleIdentity } from '../../../src/providers/alibaba/assume-role.ts';
import type { AlibabaIdentity } from '../../../src/providers/alibaba/identity.ts';
import type { StsClient } from '../../../src/providers/alibaba/sts.ts';
import { createStoreHarness, SECRET } from '../credentials/store-world.ts';

const HOUR = 3_600_000;
const PLACE = { region: 'cn-hangzhou' };
const ROLE = { roleArn: 'acs:ram::2000000000000002:role/acr-b', durationSeconds: 43_200 };
const ENDPOINTS = { alibaba: { sts: { url: 'https://sts.example' } } };

const away = new ProviderError('CloudUnavailable', 'the metadata service is away');
const expired = (): ProviderError => new ProviderError('SessionExpired', 'OIDCToken.Expired');

/** A base session of an hour assumes a role for twelve; a token of an hour is made with that. */
function cloud(wanted?: AlibabaIdentity) {
  const state = { bases: 0, assumed: 0, baseErrors: [] as Error[] };
  const outcomes: IdentityOutcome[] = [];
  const harness = createStoreHarness({ onIdentity: (outcome) => void outcomes.push(outcome) });
  const session = (accessKeyId: string, lifeMs: number) => {
    const value = { accessKeyId, accessKeySecret: 'fake-secret', securityToken: 'fake-token' };
    return { value, issuedAt: harness.now(), expiresAt: harness.now() + lifeMs, secrets: [] };
  };
  const base: AlibabaIdentity = {
    key: 'base',
    async fetchKey(world, _place, signal) {
      const fetch = () => {
        state.bases += 1;
        const error = state.baseErrors.shift();
        return error === undefined ? Promise.resolve(session('STS.base', HOUR)) : Promise.reject(error);
      };
      return { ...(await world.identity('base', fetch, signal)), origin: 'the base', account: 'base', choice: 'so' };
    },
  };
  const sts: StsClient = {
    assumeRole: () => Promise.resolve(session(`STS.assumed-${(state.assumed += 1)}`, 12 * HOUR)),
    assumeRoleWithOidc: () => Promise.reject(new Error('not asked for')),
  };
  const identity = createAssumedRoleIdentity(sts, wanted ?? base, ROLE);
  harness.fetch = async (world, signal) => {
    const key = await identity.fetchKey({ ...world, endpoints: ENDPOINTS }, PLACE, signal);
    const issuedAt = world.now();
    const told = `${key.origin} (${key.choice ?? ''})`;
    return {
      ...{ username: 'robot', password: key.accessKeyId, identity: told },
      ...{ issuedAt, expiresAt: issuedAt + HOUR },
    };
  };
  return { state, outcomes, harness, ask: (): Promise<CredentialAnswer> => harness.ask(harness.now() - 1) };
}

const freshOf = (password: string) => ({ status: 'fresh', credential: { password } });

describe('a role that was assumed with a session', () => {
  test('works on when that session has ended and there is no other', async () => {
    const { state, outcomes, harness } = cloud();
    expect(await harness.ask()).toMatchObject(freshOf('STS.assumed-1'));
    state.baseErrors = Array<Error>(1_000).fill(away);
    for (let hour = 1; hour < 12; hour += 1) {
      await harness.advance(HOUR);
      expect(await harness.ask()).toMatchObject(freshOf('STS.assumed-1'));
    }
    // It is told as before, and once that it could not be renewed.
    expect(harness.outcomes).toHaveLength(1);
    expect(harness.outcomes[0]).toMatchObject({
      credential: { identity: `${ROLE.roleArn}, assumed by the base (so)` },
    });
    const name = `alibaba/assume-role/cn-hangzhou/base/${ROLE.roleArn}/43200`;
    expect(outcomes.filter(({ error }) => error !== undefined)).toMatchObject([{ key: name, error: away }]);
    await harness.advance(HOUR);
    expect(await harness.ask()).toMatchObject({ status: 'unavailable', failure: { reason: 'CloudUnavailable' } });
  });

  test('is assumed anew as soon as there is another, when it is due', async () => {
    const { state, harness, ask } = cloud();
    await harness.ask();
    await harness.advance(11 * HOUR);
    state.baseErrors = [away];
    expect(await harness.ask()).toMatchObject(freshOf('STS.assumed-1'));
    await harness.advance(60_000);
    expect(await ask()).toMatchObject(freshOf('STS.assumed-2'));
  });

  test('fails as its base when it was never assumed', async () => {
    const { state, harness } = cloud();
    state.baseErrors = [away];
    expect(await harness.ask()).toMatchObject({ failure: { reason: 'CloudUnavailable', message: away.message } });
    expect(state.assumed).toBe(0);
  });

  test.each<[string, number, number, Error[], string, number]>([
    ['when it is not due, whatever becomes of the next', 1, 1, [expired(), expired()], 'STS.assumed-1', 1],
    ['when it is due and the next is refused, too', 11, 1, [expired(), expired()], 'STS.assumed-1', 2],
    ['not when it is due and the next is accepted', 11, 2, [expired()], 'STS.assumed-2', 2],
    ['not when there was none', 0, 1, [expired()], 'STS.assumed-1', 2],
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

test('a role that was assumed with an AccessKey is gone with the AccessKey', async () => {
  const { state, harness } = cloud(createAccessKeyIdentity(SECRET));
  expect(await harness.ask()).toMatchObject(freshOf('STS.assumed-1'));
  harness.secrets.clear();
  await harness.advance(2 * HOUR);
  expect(await harness.ask()).toMatchObject({ status: 'unavailable', failure: { reason: 'IdentityUnavailable' } });
  harness.secrets.set('kube-system/keys', { 'access-key-id': 'fake-other', 'access-key-secret': 'fake-secret' });
  harness.store.secretChanged(SECRET);
  await harness.ask();
  await harness.advance(0);
  expect(await harness.ask()).toMatchObject(freshOf('STS.assumed-2'));
  expect(state.bases).toBe(0);
});
