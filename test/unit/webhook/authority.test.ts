// Certificates: what they are good for, when each is renewed, and how two authorities overlap.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { AUTHORITY_KEYS } from '../../../src/core/names.ts';
import {
  authorityData,
  bundleOf,
  parseAuthority,
  planAuthority,
  planLeaf,
  renewAt,
  trustedBundle,
  type Authority,
  type Leaf,
} from '../../../src/webhook/authority.ts';
import {
  AUTHORITY_LIFE_MS,
  BACKDATED_MS,
  createAuthority,
  isTrusted,
  issueLeaf,
  LEAF_LIFE_MS,
  readBundle,
  type KeyPair,
} from '../../../src/webhook/certificates.ts';
import { HOUR, NOW, SECOND } from '../../support/builders.ts';
import { createForeignAuthority } from '../../support/foreign-authority.ts';

const DAY = 24 * HOUR;
const NAMES = ['hook.team.svc', '127.0.0.1', '::1'];

function authorityOf(pair: KeyPair, previous: readonly X509Certificate[] = []): Authority {
  const parsed = parseAuthority(authorityData(pair, previous));
  if (parsed === undefined) throw new Error('unreadable');
  return parsed;
}

async function leafOf(authority: Authority, now: number): Promise<Leaf> {
  const pair = await issueLeaf(authority, NAMES, now);
  return { ...pair, certificate: new X509Certificate(pair.cert), issuedBy: authority.certificate.fingerprint256 };
}

let first: Authority;
let second: Authority;
let leaf: Leaf;
beforeAll(async () => {
  first = authorityOf(await createAuthority('first', NOW));
  const later = await createAuthority('second', NOW + 250 * DAY);
  second = authorityOf(later, [first.certificate]);
  leaf = await leafOf(first, NOW);
});

describe('an authority', () => {
  test('lives a year, is dated back by an hour, signs leaves and nothing else, and is of P-256', () => {
    const { certificate } = first;
    expect(certificate.validFromDate.getTime()).toBe(NOW - BACKDATED_MS);
    expect(certificate.validToDate.getTime()).toBe(NOW + AUTHORITY_LIFE_MS);
    expect(certificate.ca).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(certificate.subject).toBe('CN=first');
  });

  test('and its leaf end with a line break, so that bundles can be joined', () => {
    for (const pem of [first.cert, first.key, leaf.cert, leaf.key]) expect(pem).toMatch(/-----\n$/);
    expect(readBundle(`${first.cert}${second.cert}`)).toHaveLength(2);
    expect(trustedBundle(second)).toBe(bundleOf([second.certificate, first.certificate]));
    expect(readBundle(trustedBundle(second)).map((one) => one.fingerprint256)).toEqual(
      [second, first].map(({ certificate }) => certificate.fingerprint256),
    );
  });

  test.each<readonly [string, (data: Record<string, string>) => Record<string, string>]>([
    ['without a key', ({ [AUTHORITY_KEYS.cert]: cert = '' }) => ({ [AUTHORITY_KEYS.cert]: cert })],
    ['without a certificate', ({ [AUTHORITY_KEYS.key]: key = '' }) => ({ [AUTHORITY_KEYS.key]: key })],
    ['with nonsense for a certificate', (data) => ({ ...data, [AUTHORITY_KEYS.cert]: 'nonsense' })],
    ['with nonsense for a key', (data) => ({ ...data, [AUTHORITY_KEYS.key]: 'nonsense' })],
    ['with the key of another', (data) => ({ ...data, [AUTHORITY_KEYS.key]: second.key })],
    ['with a leaf in its place', () => authorityData(leaf, [])],
    ['with two certificates', (data) => ({ ...data, [AUTHORITY_KEYS.cert]: `${first.cert}${second.cert}` })],
    ['which is empty', () => ({})],
  ])('is not read from a Secret %s', (_, spoil) => {
    expect(parseAuthority(spoil(authorityData(first, [])))).toBeUndefined();
  });

  test.each(['P-384', 'RSA'] as const)(
    'is not read from a Secret with a key of %s: no leaf can be made',
    async (kind) => {
      const foreign = await createForeignAuthority(kind, NOW);
      expect(parseAuthority(authorityData(foreign, []))).toBeUndefined();
      // So the leader makes another, beside what is trusted now.
      expect(planAuthority(undefined, [first.certificate], NOW)).toMatchObject({ previous: [first.certificate] });
    },
  );

  test('is read with a key in the older form of SEC 1, and hands it on as PKCS #8, which leaves are made with', async () => {
    const sec1 = createPrivateKey(first.key).export({ type: 'sec1', format: 'pem' }).toString();
    expect(sec1).toContain('BEGIN EC PRIVATE KEY');
    const authority = authorityOf({ cert: first.cert, key: sec1 });
    expect(authority.key).toBe(first.key);
    expect(isTrusted((await leafOf(authority, NOW)).certificate, [first.certificate], NOW)).toBe(true);
  });

  test('is read without those before it that cannot be', () => {
    const data = { ...authorityData(first, []), [AUTHORITY_KEYS.previous]: `nonsense\n${second.cert}x` };
    expect(parseAuthority(data)?.previous.map((one) => one.fingerprint256)).toEqual([
      second.certificate.fingerprint256,
    ]);
  });
});

describe('a leaf', () => {
  test('lives a day, for a server under its names, and is trusted by its authority alone', () => {
    const { certificate } = leaf;
    expect(certificate.validToDate.getTime()).toBe(NOW + LEAF_LIFE_MS);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkHost('hook.team.svc')).toBe('hook.team.svc');
    for (const address of ['127.0.0.1', '::1']) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkHost('other.team.svc')).toBeUndefined();
    expect(isTrusted(certificate, [second.certificate], NOW)).toBe(false);
    expect(isTrusted(certificate, [second.certificate, first.certificate], NOW)).toBe(true);
    expect(isTrusted(certificate, [], NOW)).toBe(false);
  });

  test('is trusted only while it lives', () => {
    const isTrustedAt = (now: number): boolean => isTrusted(leaf.certificate, [first.certificate], now);
    expect(isTrustedAt(NOW - BACKDATED_MS)).toBe(true);
    expect(isTrustedAt(NOW - BACKDATED_MS - SECOND)).toBe(false);
    expect(isTrustedAt(NOW + LEAF_LIFE_MS - SECOND)).toBe(true);
    expect(isTrustedAt(NOW + LEAF_LIFE_MS)).toBe(false);
  });

  test('never outlives its authority', async () => {
    const late = await leafOf(first, NOW + AUTHORITY_LIFE_MS - HOUR);
    expect(late.certificate.validToDate.getTime()).toBe(NOW + AUTHORITY_LIFE_MS);
  });
});

describe('the authority', () => {
  const dueAt = NOW + (AUTHORITY_LIFE_MS * 2) / 3;

  test('is kept until two thirds of its life, and renewed then with the earlier one beside it', () => {
    expect(renewAt(first.certificate)).toBe(dueAt);
    expect(planAuthority(first, [], NOW)).toEqual({ kind: 'keep', checkAt: dueAt });
    expect(planAuthority(first, [], dueAt - 1)).toEqual({ kind: 'keep', checkAt: dueAt });
    expect(planAuthority(first, [], dueAt)).toEqual({ kind: 'create', previous: [first.certificate] });
  });

  test('is renewed when a clock that was set back since has made it', () => {
    expect(planAuthority(first, [], NOW - 2 * HOUR)).toMatchObject({ kind: 'create' });
  });

  test('is made where there is none, and what the live bundle trusts stays trusted', () => {
    expect(planAuthority(undefined, [], NOW)).toEqual({ kind: 'create', previous: [] });
    expect(planAuthority(undefined, [first.certificate], NOW)).toEqual({
      kind: 'create',
      previous: [first.certificate],
    });
  });

  test('keeps the earlier one until the last leaf of it is dead, two days, and then lets it go', () => {
    const rotatedAt = NOW + 250 * DAY;
    expect(planAuthority(second, [], rotatedAt)).toEqual({ kind: 'keep', checkAt: rotatedAt + 2 * DAY });
    expect(planAuthority(second, [], rotatedAt + 2 * DAY - 1)).toMatchObject({ kind: 'keep' });
    expect(planAuthority(second, [], rotatedAt + 2 * DAY)).toEqual({ kind: 'amend', previous: [] });
  });

  test('is kept with what the live bundle trusts beside it, when somebody puts another into the Secret', async () => {
    const at = NOW + HOUR;
    const other = authorityOf(await createAuthority('other', at));
    const live = [first.certificate, second.certificate];
    expect(planAuthority(other, live, at)).toEqual({ kind: 'amend', previous: live });
    // Until the webhook object has it, too, nothing is done again or taken away.
    const amended = authorityOf(other, live);
    expect(planAuthority(amended, live, at)).toEqual({ kind: 'keep', checkAt: at + 2 * DAY });
    expect(planAuthority(amended, live, at + 3 * DAY)).toMatchObject({
      kind: 'keep',
      checkAt: at + 3 * DAY + 10 * SECOND,
    });
    expect(planAuthority(amended, [other.certificate, ...live], at + 3 * DAY)).toEqual({ kind: 'amend', previous: [] });
  });

  test('is made anew when it comes from a backup: the time for which the earlier ones stay would be over', () => {
    expect(planAuthority(first, [second.certificate], NOW + 3 * DAY)).toEqual({
      kind: 'create',
      previous: [second.certificate, first.certificate],
    });
  });

  test('settles at once when more is trusted than can be kept', async () => {
    const many = await Promise.all([1, 2, 3, 4].map((n) => createAuthority(`many ${n}`, NOW)));
    const certificates = many.map(({ cert }) => new X509Certificate(cert));
    const plan = planAuthority(authorityOf(first, certificates.slice(2)), certificates, NOW);
    expect(plan).toEqual({ kind: 'amend', previous: certificates.slice(0, 3) });
    expect(planAuthority(authorityOf(first, certificates.slice(0, 3)), certificates, NOW)).toMatchObject({
      kind: 'keep',
    });
  });

  test('lets an earlier one go that has ended, and keeps three of them at most', () => {
    const ended = authorityOf(second, [first.certificate]);
    expect(planAuthority(undefined, [first.certificate], NOW + AUTHORITY_LIFE_MS)).toEqual({
      kind: 'create',
      previous: [],
    });
    expect(planAuthority(ended, [], NOW + AUTHORITY_LIFE_MS)).toMatchObject({ kind: 'amend', previous: [] });
    const many = Array.from({ length: 9 }, () => first.certificate);
    expect(planAuthority(undefined, many, NOW)).toMatchObject({ previous: [{}, {}, {}] });
  });
});

describe('the leaf', () => {
  const plan = (parts: Partial<Parameters<typeof planLeaf>[0]>) =>
    planLeaf({ leaf, authority: first, bundle: [first.certificate], trustedSince: NOW, now: NOW, ...parts });
  const dueAt = NOW + (LEAF_LIFE_MS * 2) / 3;

  test('waits for an authority that can be used', () => {
    expect(plan({ leaf: undefined, authority: undefined })).toEqual({ kind: 'wait', checkAt: undefined });
    expect(plan({ leaf: undefined, now: NOW + AUTHORITY_LIFE_MS })).toEqual({ kind: 'wait', checkAt: undefined });
  });

  test('is minted where there is none, before anybody trusts it: the webhook object waits for no replica', () => {
    expect(plan({ leaf: undefined, bundle: [], trustedSince: undefined })).toEqual({ kind: 'mint' });
  });

  test('is renewed at two thirds of its life, and when it is from the future', () => {
    expect(plan({})).toEqual({ kind: 'wait', checkAt: dueAt });
    expect(plan({ now: dueAt - 1 })).toEqual({ kind: 'wait', checkAt: dueAt });
    expect(plan({ now: dueAt })).toEqual({ kind: 'mint' });
    expect(plan({ now: NOW - 2 * HOUR })).toEqual({ kind: 'mint' });
  });

  describe('after a rotation', () => {
    const now = NOW + HOUR;
    let next: Authority;
    beforeAll(async () => {
      next = authorityOf(await createAuthority('next', now), [first.certificate]);
    });
    const both = () => [next.certificate, first.certificate];

    test('stays until the new authority is trusted, and ten seconds more', () => {
      const end = leaf.certificate.validToDate.getTime();
      expect(plan({ authority: next, trustedSince: undefined, now })).toEqual({ kind: 'wait', checkAt: end });
      const seen = { authority: next, bundle: both(), trustedSince: now };
      expect(plan({ ...seen, now })).toEqual({ kind: 'wait', checkAt: now + 10 * SECOND });
      expect(plan({ ...seen, now: now + 10 * SECOND })).toEqual({ kind: 'mint' });
    });

    test('stays although it is due while nobody would trust the next', () => {
      expect(plan({ authority: next, trustedSince: undefined, now: dueAt })).toMatchObject({ kind: 'wait' });
    });

    test('is replaced at once when nobody trusts it any more', () => {
      expect(plan({ authority: next, bundle: [next.certificate], trustedSince: now, now })).toEqual({ kind: 'mint' });
      expect(plan({ authority: next, bundle: [], trustedSince: undefined, now })).toEqual({ kind: 'mint' });
    });
  });
});
