// What the webhook answers: it appends and records what the rules want, as the planner would, and never brings back what was removed.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideAdmission, type AdmissionRequest, type AdmittedAccount } from '../../../src/core/admission.ts';
import { IGNORE_LABEL, MANAGER, referencesAnnotation } from '../../../src/core/names.ts';
import { planServiceAccounts } from '../../../src/core/plan-service-accounts.ts';
import { parseLabelSelector } from '../../../src/core/scope.ts';
import type { ObservedNamespace, Rule, Scope } from '../../../src/core/types.ts';
import * as build from '../../support/builders.ts';
import { applyJsonPatch } from '../../support/json-patch.ts';

const { INSTANCE, NAMESPACE, NOW } = build;
const OURS = 'registry-credentials';
const ANNOTATION = referencesAnnotation(INSTANCE);
const SEEN: ObservedNamespace = { name: NAMESPACE, labels: {}, terminating: false };

interface Case {
  readonly account?: Partial<AdmittedAccount>;
  readonly before?: readonly string[];
  readonly fieldManager?: string;
  readonly rules?: readonly Rule[];
  readonly namespace?: ObservedNamespace | undefined;
  readonly unconfigured?: boolean;
  readonly served?: readonly string[];
}

const selector = (text: string): Scope['namespaceSelector'] => {
  const parsed = parseLabelSelector(text, 'test');
  return parsed.ok ? parsed.value : undefined;
};
const ruleFor = (scope: Partial<Scope>, secretName = OURS): Rule =>
  build.buildRule({ secretName, scope: build.buildScope(scope) });

const EVERY = { serviceAccounts: build.patterns('*') };

function requestOf(of: Case): AdmissionRequest {
  const account: AdmittedAccount = {
    name: 'default',
    generateName: '',
    labels: {},
    imagePullSecrets: undefined,
    annotations: undefined,
    recorded: [],
    deleting: false,
    ...of.account,
  };
  const before = of.before === undefined ? undefined : { recorded: of.before };
  return { namespace: NAMESPACE, fieldManager: of.fieldManager ?? 'kubectl-create', account, before };
}

function decide(of: Case) {
  const config = of.unconfigured === true ? undefined : { rules: of.rules ?? [build.buildRule()] };
  const namespace = 'namespace' in of ? of.namespace : SEEN;
  const served = of.served === undefined ? undefined : new Set(of.served);
  return decideAdmission(requestOf(of), { config, instance: INSTANCE, namespace, served });
}

/** List and record after the answer was applied to the object as it was sent. */
function becomes(of: Case): { readonly list: readonly string[] | undefined; readonly record: string | undefined } {
  const { imagePullSecrets, annotations } = requestOf(of).account;
  const object: {
    metadata: { annotations?: Record<string, string> };
    imagePullSecrets?: { name: string }[];
  } = {
    metadata: annotations === undefined ? {} : { annotations: { ...annotations } },
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
  };
  const patched = applyJsonPatch(object, decide(of).patch);
  return {
    list: patched.imagePullSecrets?.map(({ name }) => name),
    record: patched.metadata.annotations?.[ANNOTATION],
  };
}

test.each<readonly [string, Case, string]>([
  ['is left as it is in a namespace that is not served', { served: ['other'] }, 'NamespaceUnserved'],
  ['is also left when the namespace was never seen', { served: ['other'], namespace: undefined }, 'NamespaceUnserved'],
  ['gets its reference in one that is', { served: ['other', NAMESPACE] }, 'ReferenceMissing'],
])('where only some namespaces are served, a ServiceAccount %s', (_, of, reason) => {
  const { patch, reason: given } = decide(of);
  expect([given, patch.length > 0]).toEqual([reason, reason === 'ReferenceMissing']);
});

describe('a ServiceAccount that is created', () => {
  test.each<readonly [string, Case, readonly string[], string]>([
    ['without a list and annotations gets both', {}, [OURS], OURS],
    ['with an empty list gets the entry', { account: { imagePullSecrets: [] } }, [OURS], OURS],
    [
      'with foreign entries keeps them and their order, ours comes last',
      { account: { imagePullSecrets: ['b', 'a'] } },
      ['b', 'a', OURS],
      OURS,
    ],
    ['with an entry without a name keeps it', { account: { imagePullSecrets: ['', 'a'] } }, ['', 'a', OURS], OURS],
    ['with annotations keeps them', { account: { annotations: { 'a/b~c': 'd' } } }, [OURS], OURS],
    [
      'as a copy of one of ours keeps what is recorded there for the watch to judge',
      { account: { imagePullSecrets: ['old'], recorded: ['old'], annotations: { [ANNOTATION]: 'old' } } },
      ['old', OURS],
      `old,${OURS}`,
    ],
    [
      'under two rules gets both in their order, once each',
      { rules: [ruleFor({}, 'one'), ruleFor({}, 'two')], account: { imagePullSecrets: ['two'] } },
      ['two', 'one'],
      'one',
    ],
    ['in a namespace that was not seen yet gets what a pattern says', { namespace: undefined }, [OURS], OURS],
    [
      'in a namespace that was not seen yet gets what a name says',
      { namespace: undefined, rules: [ruleFor({ namespaces: build.patterns(NAMESPACE) })] },
      [OURS],
      OURS,
    ],
    [
      'in a selected namespace gets what the selector says',
      {
        namespace: { ...SEEN, labels: { team: 'shop' } },
        rules: [ruleFor({ namespaces: build.patterns(''), namespaceSelector: selector('team=shop') })],
      },
      [OURS],
      OURS,
    ],
    [
      'and selected by its own labels gets the entry',
      {
        account: { labels: { pulls: 'yes' }, name: 'app' },
        rules: [ruleFor({ serviceAccounts: build.patterns(''), serviceAccountSelector: selector('pulls=yes') })],
      },
      [OURS],
      OURS,
    ],
  ])('%s', (_, of, list, record) => {
    expect(decide(of).reason).toBe('ReferenceMissing');
    expect(becomes(of)).toEqual({ list, record });
  });

  const NOTHING: readonly (readonly [string, Case, string])[] = [
    ['has it already, by its owner', { account: { imagePullSecrets: [OURS] } }, 'NothingMissing'],
    ['is not in scope', { account: { name: 'other' } }, 'NothingMissing'],
    ['is in no scope, as there is no rule', { rules: [] }, 'NothingMissing'],
    ['asks to be left alone', { account: { labels: { [IGNORE_LABEL]: 'true' } } }, 'NothingMissing'],
    [
      'is in a namespace that asks to be left alone',
      { namespace: { ...SEEN, labels: { [IGNORE_LABEL]: 'true' } } },
      'NothingMissing',
    ],
    ['is in a namespace that is being deleted', { namespace: { ...SEEN, terminating: true } }, 'NamespaceTerminating'],
    ['has no name, and will not get one', { account: { name: '' }, rules: [ruleFor(EVERY)] }, 'LeftToWatch'],
    ['comes while no configuration is known', { unconfigured: true }, 'LeftToWatch'],
    ['is written by this program', { fieldManager: MANAGER }, 'OwnWrite'],
    [
      'is in a namespace that was not seen yet, and only a selector might reach it',
      {
        namespace: undefined,
        rules: [ruleFor({ namespaces: build.patterns(''), namespaceSelector: selector('!legacy') })],
      },
      'LeftToWatch',
    ],
    [
      'is in an excluded namespace that was not seen yet',
      { namespace: undefined, rules: [ruleFor({ excludedNamespaces: build.patterns(NAMESPACE) })] },
      'NothingMissing',
    ],
  ];

  test.each(NOTHING)('and %s passes as it is', (_, of, reason) => {
    expect(decide(of)).toEqual({ reason, patch: [] });
  });
});

describe('a ServiceAccount whose name is yet to be made', () => {
  const LONG = 'a'.repeat(80);
  const SELECTED = selector('pulls=yes');
  const scope = (serviceAccounts: string, serviceAccountSelector?: Scope['serviceAccountSelector']) => ({
    serviceAccounts: build.patterns(serviceAccounts),
    serviceAccountSelector,
  });
  const unnamed = (of: Partial<Scope>, generateName: string, account: Partial<AdmittedAccount> = {}): Case => ({
    rules: [ruleFor(of)],
    account: { name: '', generateName, ...account },
  });
  const labels = { pulls: 'yes' };

  test.each<readonly [string, Case]>([
    ['`*`', unnamed(scope('*'), 'ci-')],
    ['a pattern that its beginning matches', unnamed(scope('ci-*'), 'ci-')],
    ['a pattern for as many characters as are appended', unnamed(scope('ci-?????'), 'ci-')],
    ['one of several patterns', unnamed(scope('default, web-*, ci-*'), 'ci-')],
    ['a pattern for what is left of a long beginning', unnamed(scope(`${'a'.repeat(58)}?????`), LONG)],
    ['a selector of its labels', unnamed(scope('', SELECTED), 'ci-', { labels })],
    ['a selector of its labels beside a name', unnamed(scope('default', SELECTED), 'ci-', { labels })],
  ])('gets what a rule with %s says', (_, of) => {
    expect(decide(of).reason).toBe('ReferenceMissing');
    expect(becomes(of)).toEqual({ list: [OURS], record: OURS });
  });

  test.each<readonly [string, Case]>([
    ['a pattern of another beginning', unnamed(scope('web-*'), 'ci-')],
    ['a pattern that what is appended may match', unnamed(scope('ci-a*'), 'ci-')],
    ['a pattern for fewer characters', unnamed(scope('ci-????'), 'ci-')],
    ['a pattern for what is cut off a long beginning', unnamed(scope(`${'a'.repeat(59)}*`), LONG)],
    ['names', unnamed(scope('ci, ci-abcde'), 'ci-')],
    ['an exclusion', unnamed(scope('*, !x'), 'ci-')],
    ['an exclusion that matches its beginning', unnamed(scope('*, !ci-*'), 'ci-')],
    ['a selector of its labels and an exclusion', unnamed(scope('!x', SELECTED), 'ci-', { labels })],
    ['a selector of other labels', unnamed(scope('', SELECTED), 'ci-')],
    ['`*`, as it asks to be left alone', unnamed(scope('*'), 'ci-', { labels: { [IGNORE_LABEL]: 'true' } })],
    ['`*`, as it has it', unnamed(scope('*'), 'ci-', { imagePullSecrets: [OURS] })],
  ])('is left to the watch by a rule with %s', (_, of) => {
    expect(decide(of)).toEqual({ reason: 'LeftToWatch', patch: [] });
  });

  test('gets what one rule says, while another that hangs on the name is left to the watch', () => {
    const rules = [ruleFor(scope('*, !x'), 'one'), ruleFor(scope('*'), 'two')];
    expect(becomes({ rules, account: { name: '', generateName: 'ci-' } })).toEqual({ list: ['two'], record: 'two' });
  });

  test('gets nothing that the rules do not say of the name that is made', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 6 });
    const pattern = fc.tuple(fc.constantFrom('', '', '', '!'), part).map(([not, text]) => `${not}${text}`);
    const random = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('a', 'ab', 'b-', 'a'.repeat(57), 'a'.repeat(60)),
        random,
        (patterns, generateName, appended) => {
          const of = scope(patterns.join());
          const name = generateName.slice(0, 58) + appended;
          const reasons = [unnamed(of, generateName), { rules: [ruleFor(of)], account: { name } }].map(
            (one) => decide(one).reason,
          );
          expect([
            ['LeftToWatch', 'NothingMissing'],
            ['LeftToWatch', 'ReferenceMissing'],
            ['ReferenceMissing', 'ReferenceMissing'],
          ]).toContainEqual(reasons);
        },
      ),
    );
  });
});

describe('a ServiceAccount that is changed', () => {
  test('and loses our entry gets it back in the same request, after what the writer put there', () => {
    const of = {
      before: [OURS],
      account: { imagePullSecrets: ['new'], recorded: [OURS], annotations: { [ANNOTATION]: OURS } },
    };
    expect(decide(of).reason).toBe('ReferenceMissing');
    expect(becomes(of)).toEqual({ list: ['new', OURS], record: OURS });
  });

  test('and loses list and record to a manifest gets both back', () => {
    expect(becomes({ before: [OURS] })).toEqual({ list: [OURS], record: OURS });
  });

  test.each<readonly [string, Case, string]>([
    ['and still has our entry', { before: [OURS], account: { imagePullSecrets: [OURS] } }, 'NothingMissing'],
    [
      'and is asked to be left alone',
      { before: [OURS], account: { labels: { [IGNORE_LABEL]: 'true' } } },
      'NothingMissing',
    ],
    ['and loses what no rule wants any more', { before: ['old'], rules: [] }, 'NothingMissing'],
    ['and never had it', { before: [] }, 'LeftToWatch'],
    ['and never had it, whatever it claims now', { before: [], account: { recorded: [OURS] } }, 'LeftToWatch'],
    ['and loses it to this program', { before: [OURS], fieldManager: MANAGER }, 'OwnWrite'],
    ['while it is being deleted', { before: [OURS], account: { deleting: true } }, 'NothingMissing'],
  ])('%s passes as it is', (_, of, reason) => {
    expect(decide(of)).toEqual({ reason, patch: [] });
  });

  test('by somebody else, after the leader removed our entry, does not get it back from a replica whose rules are older', () => {
    // The leader's removal takes entry and record in one write; what others write after it starts from there.
    const account = build.buildServiceAccount({ imagePullSecrets: ['a', OURS], recorded: [OURS] });
    const { removals } = planServiceAccounts(
      { secrets: [] },
      build.buildObserved({ serviceAccounts: [account] }),
      { ready: new Set(), refused: new Set() },
      NOW,
    );
    expect(removals).toMatchObject([{ imagePullSecrets: ['a'], recorded: [], removed: [OURS] }]);
    const older = [build.buildRule()];
    const label = { rules: older, before: [], account: { imagePullSecrets: ['a'], labels: { touched: 'yes' } } };
    expect(decide(label)).toEqual({ reason: 'LeftToWatch', patch: [] });
    const manifest = { rules: older, before: [], account: { annotations: { [ANNOTATION]: OURS }, recorded: [OURS] } };
    expect(decide(manifest)).toEqual({ reason: 'LeftToWatch', patch: [] });
  });
});

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'one', 'two', 'three'), { maxLength: 5 });

test('webhook and planner are of one opinion: after the answer the planner has nothing to add', () => {
  fc.assert(
    fc.property(names, names, names, (list, claimed, wanted) => {
      const recorded = claimed.filter((name) => list.includes(name));
      const rules = wanted.map((name) => ruleFor({}, name));
      const account = { imagePullSecrets: list, recorded, annotations: { [ANNOTATION]: recorded.join(',') } };
      const after = becomes({ rules, account });
      const planned = (imagePullSecrets: readonly string[], record: readonly string[]) =>
        planServiceAccounts(
          build.buildDesired(...rules),
          build.buildObserved({
            serviceAccounts: [build.buildServiceAccount({ imagePullSecrets, recorded: record })],
          }),
          { ready: new Set(wanted), refused: new Set() },
          NOW,
        );
      expect(planned(after.list ?? [], (after.record ?? '').split(',')).additions).toEqual([]);
      // And what it adds is what the planner would have added, in the same order.
      const [write] = planned(list, recorded).additions;
      const added = write?.kind === 'patch-service-account' ? write.added : [];
      expect(after.list).toEqual([...list, ...added]);
    }),
  );
});
