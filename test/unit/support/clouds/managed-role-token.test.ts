import { createDecipheriv } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { ManagedRoleToken } from '../../../support/clouds/managed-role-token.ts';
import { buildManagedRoleToken, buildManagedRoleTokenSecret } from '../../../support/clouds/managed-role-token.ts';

const SESSION = {
  accessKeyId: 'STS.sampleak',
  accessKeySecret: 'samplesecret',
  securityToken: 'sampletoken',
  expiresAt: Date.parse('2026-01-02T04:04:05Z'),
};
const KEYRING = '0123456789abcdef0123456789abcdef';
const IV = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

describe('the managed-role token', () => {
  test('reproduces the vectors of the contract', () => {
    expect(parse({ session: SESSION, keyring: KEYRING, iv: IV })).toEqual({
      'access.key.id': 'ABEiM0RVZneImaq7zN3u/6rX1sFN+L7EflYkfpwByPg=',
      'access.key.secret': 'ABEiM0RVZneImaq7zN3u/x09srn9VKDqvl46yRQs9OQ=',
      'security.token': 'ABEiM0RVZneImaq7zN3u/55GGeDU+uRE02EsIe/yBqY=',
      expiration: '2026-01-02T04:04:05Z',
      keyring: KEYRING,
    });
  });

  test.each([16, 24, 32])('decrypts with a keyring of %i bytes, from another vector each time', (bytes) => {
    const keyring = KEYRING.slice(0, bytes);
    const token = { session: { ...SESSION, securityToken: 'a token of exactly 32 characters' }, keyring };
    const document = parse(token);
    expect(decrypt(document['security.token'] ?? '', keyring)).toBe('a token of exactly 32 characters');
    expect(decrypt(document['access.key.id'] ?? '', keyring)).toBe('STS.sampleak');
    expect(parse(token)['access.key.id']).not.toBe(document['access.key.id']);
  });

  test('with garbage padding does not decrypt', () => {
    const document = parse({ session: SESSION, padding: 'garbage' });
    expect(() => decrypt(document['security.token'] ?? '', KEYRING)).toThrow(/bad decrypt/i);
  });

  test('of a role that could not be assumed holds the error alone', () => {
    const error = { roleName: 'AliyunCSManagedAcrRole', code: 'EntityNotExist.Role', message: 'not there' };
    expect(parse({ error })).toEqual({ keyring: KEYRING, error });
  });

  test('needs a keyring that AES knows', () => {
    expect(() => buildManagedRoleToken({ session: SESSION, keyring: 'short' })).toThrow(RangeError);
  });

  test('is one key of a Secret', () => {
    const secret = buildManagedRoleTokenSecret({ session: SESSION, iv: IV });
    expect(secret.metadata.name).toBe('addon.aliyuncsmanagedacrrole.token');
    const text = Buffer.from(secret.data['addon.token.config'] ?? '', 'base64').toString();
    expect(text).toBe(buildManagedRoleToken({ session: SESSION, iv: IV }));
  });
});

function parse(token: ManagedRoleToken): Readonly<Record<string, string>> {
  return JSON.parse(buildManagedRoleToken(token)) as Record<string, string>;
}

function decrypt(field: string, keyring: string): string {
  const bytes = Buffer.from(field, 'base64');
  const decipher = createDecipheriv(`aes-${keyring.length * 8}-cbc`, keyring, bytes.subarray(0, 16));
  return decipher.update(bytes.subarray(16), undefined, 'utf8') + decipher.final('utf8');
}
