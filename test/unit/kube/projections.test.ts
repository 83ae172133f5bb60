import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/core/docker-config.ts';
import {
  isSameNamespace,
  isSameSecret,
  isSameServiceAccount,
  projectNamespace,
  projectSecret,
  projectServiceAccount,
} from '../../../src/kube/projections.ts';

const DOMAIN = 'registry-credential-helper.io';
const metadata = {
  namespace: 'a',
  name: 'x',
  uid: 'u',
  resourceVersion: '5',
  creationTimestamp: '2030-01-01T00:00:00Z',
  labels: { team: 'one' },
};

function secret(overrides: object = {}, annotations: Record<string, string> = {}) {
  const data = { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') };
  return { metadata: { ...metadata, annotations }, type: 'kubernetes.io/dockerconfigjson', data, ...overrides };
}

function account(overrides: object = {}, annotations: Record<string, string> = {}) {
  return { metadata: { ...metadata, annotations }, imagePullSecrets: [{ name: 'one' }, { name: 'two' }], ...overrides };
}

describe('a Namespace', () => {
  test('is its name, its labels and whether it ends', () => {
    expect(projectNamespace({ metadata: { ...metadata, namespace: undefined }, status: { phase: 'Active' } })).toEqual({
      namespace: '',
      name: 'x',
      uid: 'u',
      resourceVersion: '5',
      value: { name: 'x', labels: { team: 'one' }, terminating: false },
    });
  });

  test.each([
    ['its phase says so', { metadata, status: { phase: 'Terminating' } }],
    ['it has a time of deletion', { metadata: { ...metadata, deletionTimestamp: 'then' } }],
  ])('ends when %s', (_sentence, object) => {
    expect(projectNamespace(object)?.value.terminating).toBe(true);
  });
});

describe('a ServiceAccount', () => {
  const project = projectServiceAccount('main');

  test('is its references and which of them we recorded', () => {
    const annotations = { [`${DOMAIN}/references.main`]: 'two, three', [`${DOMAIN}/references.other`]: 'one' };
    expect(project(account({}, annotations))?.value).toEqual({
      namespace: 'a',
      name: 'x',
      uid: 'u',
      resourceVersion: '5',
      createdAt: Date.parse('2030-01-01T00:00:00Z'),
      labels: { team: 'one' },
      imagePullSecrets: ['one', 'two'],
      recorded: ['two', 'three'],
    });
  });

  test('shares equal lists with others, so that ten thousand cost little', () => {
    const [a, b] = [project(account()), project(account())];
    expect(a?.value.imagePullSecrets).toBe(b?.value.imagePullSecrets);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['a comma', ['x,y'], ['x', 'y']],
    ['a quote', ['x","y'], ['x', 'y']],
    ['a bracket', ['["x"]'], ['x']],
  ])('never gets the list of another because of %s in a name', (_sentence, one, other) => {
    const projectOne = projectServiceAccount('main');
    for (const names of [one, other, one]) {
      const object = account({ imagePullSecrets: names.map((name) => ({ name })) });
      expect(projectOne(object)?.value.imagePullSecrets).toEqual(names);
    }
  });

  test('does not share a list that is very long', () => {
    const object = account({ imagePullSecrets: [{ name: 'x'.repeat(2_000) }] });
    const [a, b] = [project(object), project(object)];
    expect(a?.value.imagePullSecrets).toEqual(b?.value.imagePullSecrets);
    expect(a?.value.imagePullSecrets).not.toBe(b?.value.imagePullSecrets);
  });

  test('survives entries that are no references', () => {
    const object = account({ imagePullSecrets: [null, {}, { name: 'one' }, 'two'] });
    expect(project(object)?.value.imagePullSecrets).toEqual(['', 'one']);
  });

  test('never has an empty name in our record, so that entries without a name are never removed', () => {
    const annotations = { [`${DOMAIN}/references.main`]: ',, one, ' };
    expect(project(account({ imagePullSecrets: [{}, { name: 'one' }] }, annotations))?.value).toMatchObject({
      imagePullSecrets: ['', 'one'],
      recorded: ['one'],
    });
  });
});

describe('a Secret', () => {
  test('is digests and records, never its data', () => {
    const entries = {
      'r.example': { source: 'a.b', issuedAt: '2030-01-01T00:00:00Z', expiresAt: '2030-01-01T01:00:00Z' },
    };
    const annotations = {
      [`${DOMAIN}/credentials`]: JSON.stringify(entries),
      [`${DOMAIN}/content-digest`]: 'sha256:0',
    };
    const value = projectSecret(secret({ immutable: true }, annotations))?.value;
    expect(value).toMatchObject({
      type: 'kubernetes.io/dockerconfigjson',
      immutable: true,
      entries: { 'r.example': { source: 'a.b', issuedAt: Date.parse('2030-01-01') } },
      recordedDigest: 'sha256:0',
      contentDigest: digestOf({ dockerConfigJson: '{"auths":{}}', entries: JSON.stringify(entries) }),
    });
    expect(JSON.stringify(value)).not.toContain('auths');
  });

  test('without our annotation has no records', () => {
    expect(projectSecret(secret())?.value).toMatchObject({ entries: undefined, recordedDigest: undefined });
  });

  test('without data has the digest of nothing', () => {
    expect(projectSecret(secret({ data: undefined }))?.value.contentDigest).toBe(digestOf({ dockerConfigJson: '' }));
  });
});

test.each([undefined, null, [], {}, { metadata: {} }, { metadata: { name: 'x', uid: 'u' } }])(
  '%j is no object',
  (object) => {
    expect(projectNamespace(object)).toBeUndefined();
    expect(projectSecret(object)).toBeUndefined();
    expect(projectServiceAccount('main')(object)).toBeUndefined();
  },
);

describe('what makes a difference', () => {
  const project = projectServiceAccount('main');
  const version = { ...metadata, resourceVersion: '6' };

  test('not the version', () => {
    const [a, b] = [project(account()), project(account({ metadata: version }))];
    expect(a !== undefined && b !== undefined && isSameServiceAccount(a.value, b.value)).toBe(true);
  });

  test.each<[string, object, object]>([
    ['the list', {}, { imagePullSecrets: [{ name: 'two' }, { name: 'one' }] }],
    ['a label', {}, { metadata: { ...metadata, labels: { team: 'two' } } }],
    ['the uid', {}, { metadata: { ...metadata, uid: 'other' } }],
    ['our record', {}, { metadata: { ...metadata, annotations: { [`${DOMAIN}/references.main`]: 'one' } } }],
  ])('%s of a ServiceAccount', (_sentence, one, other) => {
    const [a, b] = [project(account(one)), project(account(other))];
    expect(a !== undefined && b !== undefined && isSameServiceAccount(a.value, b.value)).toBe(false);
  });

  test.each<[string, object]>([
    ['the data', { data: { '.dockerconfigjson': 'e30=' } }],
    ['the type', { type: 'Opaque' }],
    ['whether it can be changed', { immutable: true }],
    ['a label', { metadata: { ...metadata, labels: {} } }],
    ['its definition', { metadata: { ...metadata, annotations: { [`${DOMAIN}/definition`]: 'u-1' } } }],
    ['the records', { metadata: { ...metadata, annotations: { [`${DOMAIN}/credentials`]: '{}' } } }],
  ])('%s of a Secret', (_sentence, other) => {
    const [a, b] = [projectSecret(secret()), projectSecret(secret(other))];
    expect(a !== undefined && b !== undefined && isSameSecret(a.value, b.value)).toBe(false);
    expect(a !== undefined && isSameSecret(a.value, a.value)).toBe(true);
  });

  test('labels and the end of a Namespace', () => {
    const a = { name: 'x', labels: {}, terminating: false };
    expect(isSameNamespace(a, { ...a })).toBe(true);
    expect(isSameNamespace(a, { ...a, terminating: true })).toBe(false);
    expect(isSameNamespace(a, { ...a, labels: { team: 'one' } })).toBe(false);
  });
});
