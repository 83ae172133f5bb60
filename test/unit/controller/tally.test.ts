// The counters of a resource, from the caches of a large cluster.
import { expect, test } from '@jest/globals';
import type { NotedSkip } from '../../../src/controller/noted-skips.ts';
import { tally, type TallyWorld } from '../../../src/controller/tally.ts';
import { resourceSecretName } from '../../../src/core/names.ts';
import { buildResourceStatus, MAX_LISTED } from '../../../src/core/resource-status.ts';
import type { ObservedNamespace, ObservedSecret, ObservedServiceAccount } from '../../../src/core/types.ts';
import {
  buildRecord,
  buildRequest,
  buildRule,
  buildScope,
  buildSecret,
  buildServiceAccount,
  buildSettings,
  NOW,
  patterns,
} from '../../support/builders.ts';

const SECRET = resourceSecretName('a');
const RULE = buildRule({
  secretName: SECRET,
  scope: buildScope({ serviceAccounts: patterns('*'), excludedNamespaces: patterns('kube-*') }),
  requests: [buildRequest('image-pull-secret/a', ['a.example'])],
});

interface Place {
  readonly name: string;
  readonly terminating?: boolean;
  readonly hasSecret: boolean;
  readonly edited?: boolean;
  readonly attached: number;
  readonly unattached: number;
  readonly skips?: readonly NotedSkip[];
}

/** Caches with these namespaces and nothing else. */
function worldOf(places: readonly Place[]): TallyWorld {
  const namespaces = places.map(({ name, terminating = false }): ObservedNamespace => ({
    name,
    labels: {},
    terminating,
  }));
  const secrets = new Map<string, ObservedSecret>();
  const accounts = new Map<string, ReadonlyMap<string, ObservedServiceAccount>>();
  for (const { name: namespace, hasSecret, edited = false, attached, unattached } of places) {
    const entries = { 'a.example': buildRecord('image-pull-secret/a') };
    const place = { namespace, name: SECRET, place: `${namespace}/${SECRET}`, updatedAt: NOW };
    if (hasSecret)
      secrets.set(namespace, buildSecret(entries, { ...place, ...(edited ? { contentDigest: 'other' } : {}) }));
    const list = Array.from({ length: attached + unattached }, (_, at) =>
      buildServiceAccount({ namespace, name: `sa-${at}`, imagePullSecrets: at < attached ? [SECRET] : ['theirs'] }),
    );
    accounts.set(namespace, new Map(list.map((account) => [account.name, account])));
  }
  const skips = new Map(places.map(({ name, skips: of = [] }) => [name, of]));
  const none = new Map<string, never>();
  return {
    caches: {
      namespaces: { all: () => namespaces, get: () => undefined, inNamespace: () => none },
      secrets: { all: () => secrets.values(), get: (namespace) => secrets.get(namespace), inNamespace: () => none },
      serviceAccounts: { all: () => [], get: () => undefined, inNamespace: (name) => accounts.get(name) ?? none },
    },
    settings: buildSettings(),
    currentSource: () => undefined,
    skipsOf: (name) => skips.get(name) ?? [],
    now: NOW,
  };
}

const figures = (places: readonly Place[]) => {
  const { secrets, accounts } = tally(RULE, worldOf(places));
  return [secrets.desired, secrets.successful.length, accounts.desired, accounts.successful.length];
};

test.each<[string, Place, readonly number[]]>([
  ['a namespace that is served', { name: 'web', hasSecret: true, attached: 3, unattached: 0 }, [1, 1, 3, 3]],
  ['one that is being served', { name: 'web', hasSecret: true, attached: 1, unattached: 2 }, [1, 1, 3, 1]],
  ['one without the Secret', { name: 'web', hasSecret: false, attached: 0, unattached: 2 }, [1, 0, 2, 0]],
  [
    'one whose Secret was edited',
    { name: 'web', hasSecret: true, edited: true, attached: 1, unattached: 0 },
    [1, 0, 1, 1],
  ],
  ['one that is out of scope', { name: 'kube-system', hasSecret: false, attached: 0, unattached: 2 }, [0, 0, 0, 0]],
  [
    'one that is being deleted',
    { name: 'web', terminating: true, hasSecret: true, attached: 2, unattached: 2 },
    [0, 0, 0, 0],
  ],
  [
    'one whose Secrets may not be read, whatever is remembered of it, as one Secret that is not there',
    {
      name: 'web',
      hasSecret: true,
      attached: 2,
      unattached: 0,
      skips: [{ since: NOW, reason: 'NamespaceUnreadable', name: 'web', message: 'no Role' }],
    },
    [1, 0, 0, 0],
  ],
])('[tcr C7] counts %s', (_what, place, expected) => {
  expect(figures([place])).toEqual(expected);
});

test('[tcr C9] 2,000 namespaces with 20 ServiceAccounts each: exact, bounded, each failure with its reason', () => {
  const taken: NotedSkip = { since: NOW, reason: 'NameTaken', name: SECRET, message: 'belongs to somebody else' };
  const contended: NotedSkip = { since: NOW, reason: 'Contended', name: 'sa-19', message: 'keeps losing it' };
  const places = Array.from({ length: 2_000 }, (_, at): Place => {
    const name = `n-${at}`;
    if (at % 40 === 0) return { name, hasSecret: false, attached: 0, unattached: 20, skips: [taken] };
    if (at % 40 === 1) return { name, hasSecret: true, attached: 19, unattached: 1, skips: [contended] };
    return { name, hasSecret: true, attached: 20, unattached: 0 };
  });
  const counts = tally(RULE, worldOf(places));
  const status = buildResourceStatus(
    {
      generation: 1,
      issues: [],
      isStandingDown: false,
      ...counts,
      credential: undefined,
      failure: undefined,
      now: NOW,
    },
    undefined,
  );
  expect(status).toMatchObject({
    secretsDesired: 2_000,
    secretsSuccess: 1_950,
    sAsDesired: 40_000,
    sAsSuccess: 38_950,
  });
  expect(status.secretUpdateFailed).toHaveLength(MAX_LISTED);
  for (const { reason, message } of status.secretUpdateFailed)
    expect([reason, message]).toEqual([taken.reason, taken.message]);
  for (const { reason } of status.serviceAccountsModifyFailed) expect(reason).toBe('Contended');
  expect(status.secretUpdateSuccessful).toHaveLength(MAX_LISTED);
  expect(JSON.stringify(status).length).toBeLessThan(20_000);
});
