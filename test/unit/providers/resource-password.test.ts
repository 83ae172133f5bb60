// The provider of `ImagePullSecret` resources with a password of their own: what is told of that password.
import { describe, expect, test } from '@jest/globals';
import { createResourceProvider } from '../../../src/providers/static/image-pull-secret.ts';
import { emptyWorld, WORLD_NOW } from '../../support/provider-world.ts';
import { fakeToken } from './tencent-cloud.ts';

const { signal } = new AbortController();
const END = WORLD_NOW - (WORLD_NOW % 1_000) + 600_000;

const credentialOf = (password: string) =>
  createResourceProvider().fetchCredential(
    { resource: 'acme', hosts: ['acme.example'], password: undefined },
    emptyWorld({ readSecret: () => Promise.resolve({ username: 'robot', password }) }),
    signal,
  );

describe('[tcr K1] a password of a resource', () => {
  test('that is a token tells from when until when it lives, whenever it was put in', async () => {
    const password = fakeToken(END);
    expect(await credentialOf(password)).toEqual({
      ...{ username: 'robot', password, issuedAt: WORLD_NOW, expiresAt: undefined },
      ...{ endsAt: END, beganAt: END - 3_600_000 },
    });
  });

  test('as long as a file is none, and is not shown', async () => {
    const error: unknown = await credentialOf('fake-'.repeat(4_000)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'IdentityUnavailable' });
    expect(String(error)).toContain('too long');
    expect(String(error)).not.toContain('fake-fake');
  });

  test('that is none tells nothing', async () => {
    expect(await credentialOf('fake-password')).toEqual({
      ...{ username: 'robot', password: 'fake-password', issuedAt: WORLD_NOW, expiresAt: undefined },
    });
  });
});
