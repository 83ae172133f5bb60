// The managed role: what the control plane writes into a Secret, decrypted; and everything that may be wrong with it.
import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProviderError } from '../../../src/core/errors.ts';
import { createManagedRoleIdentity, decodeManagedRoleToken } from '../../../src/providers/alibaba/managed-role.ts';
import type { ProviderWorld } from '../../../src/providers/provider.ts';
import { emptyWorld, WORLD_NOW } from '../../support/provider-world.ts';

const { signal } = new AbortController();
const NAME = 'addon.aliyuncsmanagedacrrole.token';
const KEYRING = '0123456789abcdef0123456789abcdef';
/** The vectors of acr.md section 18. */
const VECTORS = {
  'access.key.id': 'ABEiM0RVZneImaq7zN3u/6rX1sFN+L7EflYkfpwByPg=',
  'access.key.secret': 'ABEiM0RVZneImaq7zN3u/x09srn9VKDqvl46yRQs9OQ=',
  'security.token': 'ABEiM0RVZneImaq7zN3u/55GGeDU+uRE02EsIe/yBqY=',
};
const LATER = new Date(WORLD_NOW + 3_600_000).toISOString();

const token = (more: object = {}): string =>
  JSON.stringify({ ...VECTORS, keyring: KEYRING, expiration: LATER, ...more });

const encrypt = (text: string, keyring: string): string => {
  const iv = Buffer.alloc(16, 7);
  const cipher = createCipheriv(`aes-${keyring.length * 8}-cbc`, keyring, iv);
  return Buffer.concat([iv, cipher.update(text), cipher.final()]).toString('base64');
};

const worldWith = (text: string, name = NAME): ProviderWorld =>
  emptyWorld({
    readSecret: (reference) =>
      reference.name === name && reference.namespace === 'kube-system'
        ? Promise.resolve({ 'addon.token.config': text })
        : Promise.reject(new ProviderError('IdentityUnavailable', `There is no Secret kube-system/${reference.name}`)),
  });
const fetchKey = (world: ProviderWorld) =>
  createManagedRoleIdentity().fetchKey(world, { region: 'cn-hangzhou' }, signal);

describe('[acr I2] the managed role', () => {
  test('is decrypted as the vectors say', async () => {
    expect(await fetchKey(worldWith(token()))).toEqual({
      accessKeyId: 'STS.sampleak',
      accessKeySecret: 'samplesecret',
      securityToken: 'sampletoken',
      origin: `the managed role (Secret kube-system/${NAME})`,
      account: 'managed-role',
    });
  });

  test.each([16, 24, 32])('is decrypted with a key of %i bytes', (length) => {
    const keyring = 'k'.repeat(length);
    const text = token({
      keyring,
      'access.key.id': encrypt('STS.fake', keyring),
      'access.key.secret': encrypt('fake-secret', keyring),
      'security.token': encrypt('fake-token', keyring),
    });
    expect(decodeManagedRoleToken(text, 'x/y', WORLD_NOW)).toMatchObject({
      value: { accessKeyId: 'STS.fake', accessKeySecret: 'fake-secret', securityToken: 'fake-token' },
      secrets: ['fake-secret', 'fake-token'],
    });
  });

  test('may be that of ACS', async () => {
    const key = await fetchKey(worldWith(token(), 'addon.aliyunccmanagedacrrole.token'));
    expect(key.origin).toContain('addon.aliyunccmanagedacrrole.token');
  });

  test('is another as soon as the Secret holds another', async () => {
    let text = token();
    const world = emptyWorld({ readSecret: () => Promise.resolve({ 'addon.token.config': text }) });
    await fetchKey(world);
    text = token({ 'access.key.id': encrypt('STS.second', KEYRING) });
    expect((await fetchKey(world)).accessKeyId).toBe('STS.second');
  });

  test('that ends soon and was not renewed is used, with a remark', async () => {
    const soon = new Date(WORLD_NOW + 599_000).toISOString();
    const key = await fetchKey(worldWith(token({ expiration: soon })));
    expect(key.warnings).toEqual([expect.stringMatching(/has not been renewed.*tokenMode: workerRole/)]);
  });

  test.each([
    ['empty fields', { roleName: '', code: '', message: '' }],
    ['no fields', {}],
    ['nothing', null],
  ])('with an error that has %s is used: that is how no error is written', async (_what, error) => {
    expect((await fetchKey(worldWith(token({ error })))).accessKeyId).toBe('STS.sampleak');
  });

  test.each<[string, string, RegExp]>([
    ['has expired', token({ expiration: new Date(WORLD_NOW).toISOString() }), /expired at .* and was not renewed/],
    ['has no expiration', token({ expiration: undefined }), /no readable `expiration`/],
    ['is empty', '', /no JSON under addon\.token\.config/],
    ['is no map', '[]', /no JSON under/],
    ['has a key of another length', token({ keyring: 'short' }), /`keyring` that is not 16, 24 or 32/],
    ['has another key', token({ keyring: 'x'.repeat(32) }), /`access\.key\.id` that its `keyring` does not decrypt/],
    ['is garbage', token({ 'security.token': 'AAAA' }), /`security\.token` that its `keyring`/],
    ['lacks a part', token({ 'access.key.secret': undefined }), /`access\.key\.secret`/],
    [
      'holds an error',
      JSON.stringify({
        error: { roleName: 'AliyunCSManagedAcrRole', code: 'EntityNotExist.Role', message: 'no role' },
      }),
      /could not assume the role \(EntityNotExist\.Role: no role\): grant AliyunCSManagedAcrRole/,
    ],
    [
      'holds an error besides a session',
      token({ error: { code: 'NoPermission' } }),
      /could not assume the role \(NoPermission: unknown\)/,
    ],
  ])('that %s is named as unusable', async (_name, text, message) => {
    await expect(fetchKey(worldWith(text))).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: expect.stringMatching(message),
    });
  });

  test('that is not there says who would write it', async () => {
    await expect(fetchKey(emptyWorld())).rejects.toMatchObject({
      message: expect.stringMatching(/There is no Secret kube-system\/addon\.aliyuncsmanaged.*installed through ACK/),
    });
  });

  test('that cannot be read is not taken for one that is not there', async () => {
    const error = new ProviderError('IdentityUnavailable', 'could not be read', { cause: new Error('fake') });
    await expect(fetchKey(emptyWorld({ readSecret: () => Promise.reject(error) }))).rejects.toBe(error);
  });

  test('whatever stands there, only a ProviderError comes out, and no secret with it', () => {
    const part = fc.oneof(fc.jsonValue(), fc.base64String(), fc.constantFrom(...Object.values(VECTORS)));
    fc.assert(
      fc.property(
        fc.record({
          'access.key.id': part,
          'access.key.secret': part,
          'security.token': part,
          keyring: part,
          expiration: part,
        }),
        (document) => {
          try {
            decodeManagedRoleToken(JSON.stringify({ ...document, keyring: KEYRING }), 'x/y', WORLD_NOW);
          } catch (error) {
            expect(error).toBeInstanceOf(ProviderError);
            expect((error as Error).message).not.toMatch(/samplesecret|sampletoken|0123456789abcdef/);
          }
        },
      ),
    );
  });
});
