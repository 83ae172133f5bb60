// Which request would show that the admission webhook works.
import { describe, expect, test } from '@jest/globals';
import { findAdmissionProbes, type ProbeWorld } from '../../../src/core/admission-probe.ts';
import { IGNORE_LABEL, SECRET_NAME } from '../../../src/core/names.ts';
import { buildRule, buildScope, buildServiceAccount, patterns } from '../../support/builders.ts';

const EVERYBODY = { serviceAccounts: patterns('*') };
const namespace = (name: string, more: object = {}) => ({ name, labels: {}, terminating: false, ...more });
const account = (place: string, name: string, more: object = {}) =>
  buildServiceAccount({ namespace: place, name, ...more });
/** One that has our reference, recorded, behind a foreign one. */
const served = (place: string, name: string) =>
  account(place, name, { imagePullSecrets: ['foreign', SECRET_NAME], recorded: [SECRET_NAME] });

function find(parts: Partial<Omit<ProbeWorld, 'config'>>, scope: Parameters<typeof buildScope>[0] = {}) {
  const config = { rules: [buildRule({ scope: buildScope(scope) })] };
  return findAdmissionProbes({
    ...{ config, ownNamespace: 'ours', served: undefined, namespaces: [namespace('web')], accounts: [] },
    ...parts,
  });
}

describe('a new ServiceAccount', () => {
  const NEW = 'registry-credential-helper-self-test';

  test('of a name that nobody has shows it where all are in scope', () => {
    expect(find({ accounts: [account('web', 'default')] }, EVERYBODY)).toEqual([
      { kind: 'create', namespace: 'web', name: NEW, expected: [SECRET_NAME] },
    ]);
  });

  test('has the name that is in scope where that is free', () => {
    const namespaces = [namespace('api'), namespace('web')];
    const found = find({ namespaces, accounts: [account('api', 'default')] });
    expect(found).toEqual([{ kind: 'create', namespace: 'web', name: 'default', expected: [SECRET_NAME] }]);
  });

  test('shows nothing where every name in scope is taken', () => {
    expect(find({ accounts: [account('web', 'default')] })).toEqual([]);
  });

  test('goes before a change, and into the first namespace', () => {
    const namespaces = [namespace('web'), namespace('api')];
    const found = find({ namespaces, accounts: [served('web', 'default')] }, EVERYBODY);
    expect(found.map(({ kind }) => kind)).toEqual(['create', 'change']);
    expect(found[0]).toMatchObject({ namespace: 'api' });
  });
});

describe('a change', () => {
  test('takes our reference out, and leaves the others', () => {
    expect(find({ accounts: [served('web', 'default')] })).toEqual([
      {
        kind: 'change',
        account: { namespace: 'web', name: 'default', uid: 'uid-of-default', resourceVersion: '3' },
        imagePullSecrets: ['foreign'],
        expected: [SECRET_NAME],
      },
    ]);
  });

  test('shows nothing of a reference that its owner wrote, or of one out of scope', () => {
    const owned = account('web', 'default', { imagePullSecrets: [SECRET_NAME] });
    expect(find({ accounts: [owned] })).toEqual([]);
    expect(find({ accounts: [served('web', 'default')] }, { serviceAccounts: patterns('other') })).toMatchObject([
      { kind: 'create', name: 'other' },
    ]);
  });
});

test.each<[string, Partial<Omit<ProbeWorld, 'config'>>]>([
  ['is being deleted', { namespaces: [namespace('web', { terminating: true })] }],
  ['is to be left alone', { namespaces: [namespace('web', { labels: { [IGNORE_LABEL]: 'true' } })] }],
  ['is our own', { ownNamespace: 'web' }],
  ['is that of node leases', { namespaces: [namespace('kube-node-lease')] }],
  ['is not served', { served: ['api'] }],
])('nothing is tried in a namespace that %s', (_, parts) => {
  const [place = namespace('web')] = parts.namespaces ?? [];
  expect(find({ accounts: [served(place.name, 'default')], ...parts }, EVERYBODY)).toEqual([]);
});
