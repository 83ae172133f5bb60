// What is written into Secrets, and what is read back from annotations that anybody may have edited.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buildDockerConfig, digestOf, formatEntries, parseEntries } from '../../../src/core/docker-config.ts';
import { keyOf, requestKey, sourceOf } from '../../../src/core/source.ts';
import { buildCredential, buildRequest, NOW } from '../../support/builders.ts';

interface Document {
  readonly auths: Readonly<Record<string, { username: string; password: string; auth: string; email?: string }>>;
}

const hosts = fc.oneof(
  fc.domain(),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '*.example', 'host:5000', '1', '2'),
);
const instants = fc.integer({ min: 0, max: NOW * 2 });

describe('a document', () => {
  test('holds for each host what docker login would write', () => {
    const text = buildDockerConfig([{ host: 'a.example', credential: buildCredential() }], undefined);
    expect(text).toBe(
      '{"auths":{"a.example":{"username":"cr_temp_user","password":"p-1","auth":"Y3JfdGVtcF91c2VyOnAtMQ=="}}}',
    );
  });

  test('[acr C6] holds the e-mail in every entry when there is one', () => {
    const entries = ['b', 'a'].map((host) => ({ host, credential: buildCredential() }));
    const { auths } = JSON.parse(buildDockerConfig(entries, 'me@example.com')) as Document;
    expect(Object.values(auths).map((entry) => entry.email)).toEqual(['me@example.com', 'me@example.com']);
  });

  test('is the same text whatever the order of entries, and gives every user name and password back', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(hosts, { minLength: 1, maxLength: 6 }),
        fc.string(),
        fc.string(),
        (names, user, pass) => {
          const entries = names.map((host) => ({
            host,
            credential: buildCredential({ username: user, password: pass }),
          }));
          const text = buildDockerConfig(entries, undefined);
          expect(buildDockerConfig([...entries].reverse(), undefined)).toBe(text);
          const { auths } = JSON.parse(text) as Document;
          expect(Object.keys(auths).sort()).toEqual([...names].sort());
          for (const host of names) {
            const entry = Object.getOwnPropertyDescriptor(auths, host)?.value as Document['auths'][string];
            expect(entry).toMatchObject({ username: user, password: pass });
            expect(entry.auth).toBe(Buffer.from(`${user}:${pass}`).toString('base64'));
          }
        },
      ),
    );
  });

  test('its digest is that of its text and of the annotation that tells of it', () => {
    const digests = [
      { dockerConfigJson: '' },
      { dockerConfigJson: 'a' },
      { dockerConfigJson: 'a', entries: 'b' },
      { dockerConfigJson: 'ab' },
      { dockerConfigJson: '', entries: 'ab' },
    ].map(digestOf);
    expect(digests[2]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(new Set(digests).size).toBe(digests.length);
    expect(digestOf({ dockerConfigJson: 'a', entries: 'b' })).toBe(digests[2]);
  });
});

describe('the annotation', () => {
  test('gives back what was written, prototype keys included, and does so as the same text', () => {
    const record = fc.record({
      source: fc.string(),
      issuedAt: instants,
      expiresAt: fc.option(instants, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(hosts, record), { maxLength: 6 }), (pairs) => {
        const entries = Object.fromEntries(pairs);
        const text = formatEntries(entries);
        const read = parseEntries(text);
        expect(new Map(Object.entries(read ?? {}))).toEqual(new Map(Object.entries(entries)));
        expect(formatEntries(read ?? {})).toBe(text);
        expect(({} as Record<string, unknown>).source).toBeUndefined();
      }),
    );
  });

  test('holds instants as people read them', () => {
    expect(formatEntries({ 'a.example': { source: 's', issuedAt: NOW, expiresAt: undefined } })).toBe(
      '{"a.example":{"source":"s","issuedAt":"2026-01-02T03:04:05.000Z"}}',
    );
  });

  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"a"'],
    ['a number', '1'],
    ['an entry that is no map', '{"a.example": 1}'],
    ['an entry that is null', '{"a.example": null}'],
    ['an entry that is a list', '{"a.example": []}'],
    ['no source', '{"a.example": {"issuedAt": "2026-01-02T03:04:05Z"}}'],
    ['a source that is no text', '{"a.example": {"source": 1, "issuedAt": "2026-01-02T03:04:05Z"}}'],
    ['no issuedAt', '{"a.example": {"source": "s"}}'],
    ['an issuedAt that is no instant', '{"a.example": {"source": "s", "issuedAt": "soon"}}'],
    ['an issuedAt that is a number', '{"a.example": {"source": "s", "issuedAt": 1}}'],
    [
      'an expiresAt that is null',
      '{"a.example": {"source": "s", "issuedAt": "2026-01-02T03:04:05Z", "expiresAt": null}}',
    ],
    [
      'an expiresAt that is nonsense',
      '{"a.example": {"source": "s", "issuedAt": "2026-01-02T03:04:05Z", "expiresAt": "x"}}',
    ],
    ['one entry right and one wrong', '{"a": {"source": "s", "issuedAt": "2026-01-02T03:04:05Z"}, "b": {}}'],
    ['a prototype', '{"__proto__": {"polluted": true}}'],
    ['more than any annotation may hold', JSON.stringify({ a: 'x'.repeat(262_144) })],
    ['a deep nest', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('is not read when it holds %s', (_, text) => {
    expect(parseEntries(text)).toBeUndefined();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('is never a reason to throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseEntries(text)));
  });
});

describe('a source', () => {
  test('is equal for the same revisions in any order, and differs with each part', () => {
    expect(sourceOf('a', ['x', 'y'])).toBe(sourceOf('a', ['y', 'x']));
    expect(sourceOf('a', ['x'])).not.toBe(sourceOf('a', ['y']));
    expect(sourceOf('a', ['x'])).not.toBe(sourceOf('b', ['x']));
    expect(sourceOf('a', [])).toMatch(/^[0-9a-f]{12}\.[0-9a-f]{12}$/);
  });

  test('tells for which cache key it was made', () => {
    expect(keyOf(sourceOf('a', ['x']))).toBe(requestKey(buildRequest('a')));
    expect(keyOf(sourceOf('a', ['x']))).not.toBe(requestKey(buildRequest('b')));
    expect(keyOf('')).not.toBe(requestKey(buildRequest('a')));
  });
});
