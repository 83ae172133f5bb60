// The planner's rules about Secrets, each a case named by its sentence.
import { describe, expect, test } from '@jest/globals';
import { planNamespace } from '../../../src/core/plan.ts';
import { wantedCredentials, type PlanContext } from '../../../src/core/plan-secrets.ts';
import {
  ACR_SECRET_NAME,
  CREDENTIALS_ANNOTATION,
  DIGEST_ANNOTATION,
  INSTANCE_LABEL,
  MANAGED_BY_LABEL,
  MANAGER,
  managedLabels,
  PLACE_ANNOTATION,
  SECRET_NAME,
} from '../../../src/core/names.ts';
import { digestOf, parseEntries } from '../../../src/core/docker-config.ts';
import type { Plan } from '../../../src/core/plan-types.ts';
import type { CredentialAnswer, Desired, ObservedSecret } from '../../../src/core/types.ts';
import * as build from '../../support/builders.ts';
import { HOUR, INSTANCE, MINUTE, NOW } from '../../support/builders.ts';

/** Two registries in one Secret. */
const TWO = build.buildDesired(
  build.buildRule({ requests: [build.buildRequest('a', ['a.example']), build.buildRequest('b', ['b.example'])] }),
);
const ONE = build.buildDesired(build.buildRule());
const OLD = { issuedAt: NOW - 59 * MINUTE, expiresAt: NOW + MINUTE };
const DEAD = { issuedAt: NOW - 2 * HOUR, expiresAt: NOW - HOUR };

type Answers = Readonly<Record<string, CredentialAnswer>>;

function plan(desired: Desired, answers: Answers, context: Parameters<typeof build.buildContext>[0] = {}): Plan {
  return planNamespace(desired, new Map(Object.entries(answers)), build.buildContext(context));
}

function wanted(desired: Desired, context: PlanContext): readonly (readonly [string, number | undefined])[] {
  return wantedCredentials(desired, context).map(({ request, newerThan }) => [request.cacheKey, newerThan]);
}

/** `kind reason` of every write, and the reason of every skip. */
function summary({ writes, skips }: Plan): readonly string[] {
  return [...writes.map((write) => `${write.kind} ${write.reason}`), ...skips.map((skip) => skip.reason)];
}

function contentOf({ writes }: Plan) {
  const write = writes[0];
  if (write === undefined || !('content' in write)) throw new Error('the first write has no content');
  return write.content;
}

interface Case {
  readonly name: string;
  readonly desired?: Desired;
  readonly answers?: Answers;
  readonly context: Parameters<typeof build.buildContext>[0];
  readonly outcome: readonly string[];
}

const A = build.buildFresh('a');
const B = build.buildFresh('b');
const NONE = build.buildUnavailable();
const A_RECORD = build.buildRecord('a');
const B_RECORD = build.buildRecord('b');
const right = build.buildSecret({ 'a.example': A_RECORD });
const named = (name: string): Desired => build.buildDesired(build.buildRule({ secretName: name }));

const CASES: readonly Case[] = [
  {
    name: 'none there, a credential: create',
    answers: { a: A },
    context: {},
    outcome: ['create-secret SecretMissing'],
  },
  {
    name: 'none there, no credential: leave',
    answers: { a: NONE },
    context: {},
    outcome: ['CredentialUnavailable'],
  },
  {
    name: 'none there, one of two fails: the other is written',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: {},
    outcome: ['create-secret SecretMissing', 'CredentialUnavailable'],
  },
  { name: 'all right and not due: nothing to do', context: { secrets: [right] }, outcome: [] },
  {
    name: 'somebody edited it: repair it in place',
    answers: { a: A },
    context: { secrets: [{ ...right, contentDigest: 'sha256:other' }] },
    outcome: ['update-secret SecretEdited'],
  },
  {
    name: 'somebody edited it, no credential: leave what is there',
    answers: { a: NONE },
    context: { secrets: [{ ...right, contentDigest: 'sha256:other' }] },
    outcome: ['CredentialUnavailable'],
  },
  {
    name: 'our annotation is gone: repair it in place',
    answers: { a: A },
    context: { secrets: [build.buildSecret(undefined)] },
    outcome: ['update-secret SecretEdited'],
  },
  {
    name: 'its labels were stripped, the annotation is there: take it back in place',
    answers: { a: A },
    context: { secrets: [{ ...right, labels: {} }] },
    outcome: ['update-secret LabelsChanged'],
  },
  {
    name: 'its instance label was stripped: take it back in place',
    answers: { a: A },
    context: { secrets: [{ ...right, labels: { [MANAGED_BY_LABEL]: MANAGER } }] },
    outcome: ['update-secret LabelsChanged'],
  },
  {
    name: 'another installation manages it: leave',
    context: { secrets: [{ ...right, labels: managedLabels('other') }] },
    outcome: ['NameTaken'],
  },
  {
    name: 'another installation manages it, and it lost one of its labels: leave',
    context: { secrets: [{ ...right, labels: { [INSTANCE_LABEL]: 'other' } }] },
    outcome: ['NameTaken'],
  },
  {
    name: 'another installation manages it: leave, whatever may be adopted',
    desired: named(ACR_SECRET_NAME),
    context: {
      settings: { adoptExisting: 'all' },
      secrets: [build.buildForeignSecret({ name: ACR_SECRET_NAME, labels: managedLabels('other') })],
    },
    outcome: ['NameTaken'],
  },
  {
    name: 'our other Secrets (the master copy) are no pull Secrets: leave',
    context: { secrets: [build.buildForeignSecret({ labels: { [MANAGED_BY_LABEL]: MANAGER } })] },
    outcome: ['NameTaken'],
  },
  {
    name: 'foreign under a vendor’s name and of the right type: adopt in place',
    desired: named(ACR_SECRET_NAME),
    answers: { a: A },
    context: { secrets: [build.buildForeignSecret({ name: ACR_SECRET_NAME })] },
    outcome: ['update-secret SecretAdopted'],
  },
  {
    name: 'foreign under the name of Tencent’s add-on: adopt in place',
    desired: named('tcr.ipsabc'),
    answers: { a: A },
    context: { secrets: [build.buildForeignSecret({ name: 'tcr.ipsabc', labels: { [MANAGED_BY_LABEL]: 'Helm' } })] },
    outcome: ['update-secret SecretAdopted'],
  },
  {
    name: 'foreign under another name: leave',
    context: { secrets: [build.buildForeignSecret()] },
    outcome: ['NameTaken'],
  },
  {
    name: 'foreign under another name, `adopt-existing: all`: adopt in place',
    answers: { a: A },
    context: { settings: { adoptExisting: 'all' }, secrets: [build.buildForeignSecret()] },
    outcome: ['update-secret SecretAdopted'],
  },
  {
    name: 'foreign under a vendor’s name, `adopt-existing: none`: leave',
    desired: named(ACR_SECRET_NAME),
    context: { settings: { adoptExisting: 'none' }, secrets: [build.buildForeignSecret({ name: ACR_SECRET_NAME })] },
    outcome: ['NameTaken'],
  },
  {
    name: 'foreign under a vendor’s name, but of another type: leave',
    desired: named(ACR_SECRET_NAME),
    context: { secrets: [build.buildForeignSecret({ name: ACR_SECRET_NAME, type: 'Opaque' })] },
    outcome: ['NameTaken'],
  },
  {
    name: 'foreign under a vendor’s name, but immutable: leave',
    desired: named(ACR_SECRET_NAME),
    context: { secrets: [build.buildForeignSecret({ name: ACR_SECRET_NAME, immutable: true })] },
    outcome: ['NameTaken'],
  },
  {
    name: 'ours of a wrong type: replace',
    answers: { a: A },
    context: { secrets: [{ ...right, type: 'Opaque' }] },
    outcome: ['replace-secret SecretTypeWrong'],
  },
  {
    name: 'ours and immutable: replace',
    answers: { a: A },
    context: { secrets: [{ ...right, immutable: true }] },
    outcome: ['replace-secret SecretTypeWrong'],
  },
  {
    name: 'ours of a wrong type, no credential: leave',
    answers: { a: NONE },
    context: { secrets: [{ ...right, type: 'Opaque' }] },
    outcome: ['CredentialUnavailable'],
  },
  {
    name: 'a registry came: write both',
    desired: TWO,
    answers: { a: A, b: B },
    context: { secrets: [right] },
    outcome: ['update-secret RegistriesChanged'],
  },
  {
    name: 'a registry came whose credential fails: the Secret is right as it is',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: { secrets: [right] },
    outcome: ['CredentialUnavailable'],
  },
  {
    name: 'a registry went: write without it',
    answers: { a: A },
    context: { secrets: [build.buildSecret({ 'a.example': A_RECORD, 'b.example': B_RECORD })] },
    outcome: ['update-secret RegistriesChanged'],
  },
  {
    name: 'a host moved to another registry: write it anew',
    answers: { a: A },
    context: { secrets: [build.buildSecret({ 'a.example': B_RECORD })] },
    outcome: ['update-secret RegistriesChanged'],
  },
  {
    name: 'the key that it was made from changed: write it anew',
    answers: { a: { ...A, source: build.buildSource('a', 'r2') } as CredentialAnswer },
    context: { secrets: [right], sources: { a: build.buildSource('a', 'r2') } },
    outcome: ['update-secret SourceChanged'],
  },
  {
    name: 'an entry is due and the new one lives longer: update in place',
    answers: { a: A },
    context: { secrets: [build.buildSecret({ 'a.example': build.buildRecord('a', OLD) })] },
    outcome: ['update-secret CredentialDue'],
  },
  {
    name: 'an entry is due and the new one dies earlier: leave',
    answers: { a: build.buildFresh('a', { expiresAt: NOW + MINUTE - 1 }) },
    context: { secrets: [build.buildSecret({ 'a.example': build.buildRecord('a', OLD) })] },
    outcome: [],
  },
  {
    name: 'an entry is due and its credential fails: the last good stays',
    answers: { a: NONE },
    context: { secrets: [build.buildSecret({ 'a.example': build.buildRecord('a', OLD) })] },
    outcome: ['CredentialUnavailable'],
  },
  {
    name: 'an entry is due, its neighbour fails and is still valid: every entry stays',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: { secrets: [build.buildSecret({ 'a.example': build.buildRecord('a', OLD), 'b.example': B_RECORD })] },
    outcome: ['CredentialUnavailable', 'LastGoodKept'],
  },
  {
    name: 'an entry is due, its neighbour fails and is dead: written without it',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: {
      secrets: [
        build.buildSecret({ 'a.example': build.buildRecord('a', OLD), 'b.example': build.buildRecord('b', DEAD) }),
      ],
    },
    outcome: ['update-secret CredentialDue', 'CredentialUnavailable'],
  },
  {
    name: 'a neighbour that fails is dead: no reason to write',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: { secrets: [build.buildSecret({ 'a.example': A_RECORD, 'b.example': build.buildRecord('b', DEAD) })] },
    outcome: ['CredentialUnavailable'],
  },
  {
    name: 'somebody edited it and one of two fails: nobody knows what is in it, the other is written',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: {
      secrets: [build.buildSecret({ 'a.example': A_RECORD, 'b.example': B_RECORD }, { contentDigest: 'sha256:other' })],
    },
    outcome: ['update-secret SecretEdited', 'CredentialUnavailable'],
  },
  {
    name: 'an entry from the future (the clock jumped back) is due, also when the new one dies earlier',
    answers: { a: A },
    context: {
      secrets: [
        build.buildSecret({
          'a.example': build.buildRecord('a', { issuedAt: NOW + 24 * HOUR, expiresAt: NOW + 25 * HOUR }),
        }),
      ],
    },
    outcome: ['update-secret CredentialDue'],
  },
  {
    name: 'labels that people ask for are missing: update in place',
    answers: { a: A },
    context: { settings: { secretLabels: { team: 'shop' } }, secrets: [right] },
    outcome: ['update-secret LabelsChanged'],
  },
  {
    name: 'labels that people ask for are missing, and another registry never had a credential: update in place',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: { settings: { secretLabels: { team: 'shop' } }, secrets: [right] },
    outcome: ['update-secret LabelsChanged', 'CredentialUnavailable'],
  },
  {
    name: 'labels are missing, and an entry is due whose new one dies earlier: leave, labels are not worth a life',
    answers: { a: build.buildFresh('a', { expiresAt: NOW + MINUTE - 1 }) },
    context: {
      settings: { secretLabels: { team: 'shop' } },
      secrets: [build.buildSecret({ 'a.example': build.buildRecord('a', OLD) })],
    },
    outcome: [],
  },
  {
    name: 'labels are missing, and an entry is due for which there is nothing better yet: update in place',
    answers: { a: build.buildStale('a', OLD) },
    context: {
      settings: { secretLabels: { team: 'shop' } },
      secrets: [build.buildSecret({ 'a.example': build.buildRecord('a', OLD) })],
    },
    outcome: ['update-secret LabelsChanged'],
  },
  {
    name: 'labels are missing, and another registry fails whose entry works: every entry stays',
    desired: TWO,
    answers: { a: A, b: NONE },
    context: {
      settings: { secretLabels: { team: 'shop' } },
      secrets: [build.buildSecret({ 'a.example': A_RECORD, 'b.example': B_RECORD })],
    },
    outcome: ['CredentialUnavailable', 'LastGoodKept'],
  },
  {
    name: 'ours, and no rule wants it: delete',
    desired: { secrets: [] },
    context: { secrets: [right] },
    outcome: ['delete-secret SecretUnwanted'],
  },
  {
    name: 'somebody else’s, and no rule wants it: leave',
    desired: { secrets: [] },
    context: { secrets: [build.buildForeignSecret(), { ...right, name: 'x', labels: managedLabels('other') }] },
    outcome: [],
  },
  {
    name: 'the namespace is being deleted: write nothing',
    context: { namespace: { terminating: true } },
    outcome: ['NamespaceTerminating'],
  },
  {
    name: 'the cloud names no host: leave',
    desired: build.buildDesired(build.buildRule({ requests: [build.buildRequest('a')] })),
    answers: { a: A },
    context: {},
    outcome: ['CredentialUnavailable'],
  },
  {
    name: 'the credential expired before it could be written: leave',
    answers: { a: build.buildFresh('a', DEAD) },
    context: {},
    outcome: ['CredentialUnavailable'],
  },
];

describe('planNamespace decides about Secrets', () => {
  test.each(CASES)('$name', ({ desired = ONE, answers = {}, context, outcome }) => {
    expect(summary(plan(desired, answers, context))).toEqual(outcome);
  });

  test('a Secret is updated under its name, UID and resourceVersion', () => {
    const secret = build.buildSecret(
      { 'a.example': build.buildRecord('a', OLD) },
      { uid: 'u-1', resourceVersion: '42' },
    );
    expect(plan(ONE, { a: A }, { secrets: [secret] }).writes).toMatchObject([
      { kind: 'update-secret', namespace: 'shop', name: SECRET_NAME, uid: 'u-1', resourceVersion: '42' },
    ]);
  });

  test('what is written says what it was made from, and the digest of its content', () => {
    const content = contentOf(plan(ONE, { a: A }, { settings: { secretLabels: { team: 'shop' }, email: 'a@b.c' } }));
    expect(JSON.parse(content.dockerConfigJson)).toEqual({
      auths: {
        'a.example': { username: 'cr_temp_user', password: 'p-1', email: 'a@b.c', auth: 'Y3JfdGVtcF91c2VyOnAtMQ==' },
      },
    });
    expect(parseEntries(content.annotations[CREDENTIALS_ANNOTATION])).toEqual({ 'a.example': A_RECORD });
    const entries = content.annotations[CREDENTIALS_ANNOTATION];
    const { dockerConfigJson } = content;
    expect(content.annotations[DIGEST_ANNOTATION]).toBe(digestOf({ dockerConfigJson, entries }));
    expect(content.labels).toEqual({ ...managedLabels(INSTANCE), team: 'shop' });
  });

  test('a Secret stays while a reference to it cannot be removed', () => {
    const account = build.buildServiceAccount({ uid: 'u', imagePullSecrets: [SECRET_NAME], recorded: [SECRET_NAME] });
    const secrets = [build.buildSecret({ 'a.example': build.buildRecord('a') })];
    const context = { serviceAccounts: [account], secrets };
    const refused = plan({ secrets: [] }, {}, { ...context, refusedUntil: new Map([['u', NOW + MINUTE]]) });
    expect(summary(refused)).toEqual(['WriteRefused']);
    expect(refused.nextCheckAt).toBe(NOW + MINUTE);
    expect(summary(plan({ secrets: [] }, {}, context))).toEqual([
      'patch-service-account ReferenceUnwanted',
      'delete-secret SecretUnwanted',
    ]);
  });

  const due = build.buildSecret({ 'a.example': build.buildRecord('a', OLD) });
  test.each<readonly [string, { readonly secrets: readonly ObservedSecret[] }]>([
    ['edited', { secrets: [build.buildSecret({ 'a.example': A_RECORD }, { contentDigest: 'sha256:other' })] }],
    ['deleted', { secrets: [] }],
    ['put back as it was long ago', { secrets: [due] }],
    ['put back by the add-on of a vendor', { secrets: [build.buildForeignSecret({ name: ACR_SECRET_NAME })] }],
  ])('a Secret that is %s again and again is left alone for a while, whatever the reason to write it', (_, context) => {
    const secretName = context.secrets[0]?.name ?? SECRET_NAME;
    const contendedUntil = new Map([[`${build.NAMESPACE}/${secretName}`, NOW + MINUTE]]);
    const planned = plan(named(secretName), { a: A }, { ...context, contendedUntil });
    expect(summary(planned)).toEqual(['Contended']);
    expect(planned.nextCheckAt).toBe(NOW + MINUTE);
    expect(plan(named(secretName), { a: A }, { ...context, contendedUntil, now: NOW + MINUTE }).writes).toHaveLength(1);
  });

  test('a Secret that was fought over and is right is no fight', () => {
    const contendedUntil = new Map([[`${build.NAMESPACE}/${SECRET_NAME}`, NOW + MINUTE]]);
    expect(summary(plan(ONE, {}, { secrets: [right], contendedUntil }))).toEqual([]);
    const failing = plan(ONE, { a: NONE }, { secrets: [due], contendedUntil });
    expect(summary(failing)).toEqual(['CredentialUnavailable']);
  });

  test('a registry whose new identity fails keeps its old entry, by its host', () => {
    const entries = { 'a.example': build.buildRecord('a'), 'b.example': build.buildRecord('old-b') };
    const answers = { a: build.buildFresh('a'), b: build.buildUnavailable() };
    const planned = plan(TWO, answers, {
      secrets: [build.buildSecret(entries)],
      sources: { a: build.buildSource('a') },
    });
    expect(summary(planned)).toEqual(['CredentialUnavailable', 'LastGoodKept']);
  });

  test('what the cloud has not named yet may be any host: every valid entry stays', () => {
    const desired = build.buildDesired(
      build.buildRule({ requests: [build.buildRequest('a', ['a.example']), build.buildRequest('b')] }),
    );
    const entries = { 'a.example': build.buildRecord('a'), 'b.example': build.buildRecord('old-b') };
    const answers = { a: build.buildFresh('a'), b: build.buildUnavailable() };
    const planned = plan(desired, answers, { secrets: [build.buildSecret(entries)] });
    expect(summary(planned)).toEqual(['CredentialUnavailable', 'LastGoodKept']);
  });

  test('what the cloud has not named yet is no entry that never expires: such a registry is replaced, and others are renewed', () => {
    const requests = [build.buildRequest('a', ['a.example']), build.buildRequest('new', ['new.example'])];
    const desired = build.buildDesired(build.buildRule({ requests: [...requests, build.buildRequest('b')] }));
    const forEver = { expiresAt: undefined };
    const entries = { 'a.example': build.buildRecord('a', OLD), 'old.example': build.buildRecord('old', forEver) };
    const answers = { a: A, new: build.buildFresh('new', forEver), b: build.buildUnavailable() };
    const planned = plan(desired, answers, { secrets: [build.buildSecret(entries)] });
    expect(summary(planned)).toEqual(['update-secret RegistriesChanged', 'CredentialUnavailable']);
    expect(Object.keys(parseEntries(contentOf(planned).annotations[CREDENTIALS_ANNOTATION]) ?? {})).toEqual([
      'a.example',
      'new.example',
    ]);
  });

  test('an entry that never expires stays while the very request that it was made for fails', () => {
    const entries = {
      'a.example': build.buildRecord('a', OLD),
      'b.example': build.buildRecord('b', { expiresAt: undefined }),
    };
    const planned = plan(TWO, { a: A, b: NONE }, { secrets: [build.buildSecret(entries)] });
    expect(summary(planned)).toEqual(['CredentialUnavailable', 'LastGoodKept']);
  });

  test('a vendor’s Secret is adopted only when every registry has its credential: what it holds may still work', () => {
    const vendors = build.buildForeignSecret({ name: ACR_SECRET_NAME });
    const desired = build.buildDesired({ ...(TWO.secrets[0]?.rule ?? build.buildRule()), secretName: ACR_SECRET_NAME });
    const failing = plan(desired, { a: build.buildFresh('a'), b: build.buildUnavailable() }, { secrets: [vendors] });
    expect(summary(failing)).toEqual(['CredentialUnavailable', 'LastGoodKept']);
    expect(failing.nextCheckAt).toBeDefined();
    const well = plan(desired, { a: build.buildFresh('a'), b: build.buildFresh('b') }, { secrets: [vendors] });
    expect(summary(well)).toEqual(['update-secret SecretAdopted']);
  });

  test('a copy of our Secret under a name that no rule wants is left alone, whatever its labels', () => {
    const copy = build.buildSecret(
      { 'a.example': build.buildRecord('a') },
      { name: 'backup', place: 'shop/registry-credentials' },
    );
    const unmarked = build.buildSecret({ 'a.example': build.buildRecord('a') }, { name: 'clone', place: undefined });
    expect(summary(plan({ secrets: [] }, {}, { secrets: [copy, unmarked] }))).toEqual([]);
  });

  test('a copy of our Secret under a name that a rule wants is made our own', () => {
    const copy = build.buildSecret(
      { 'a.example': build.buildRecord('a') },
      { place: 'elsewhere/registry-credentials' },
    );
    const planned = plan(ONE, { a: build.buildFresh('a') }, { secrets: [copy] });
    expect(summary(planned)).toEqual(['update-secret SecretEdited']);
    expect(contentOf(planned).annotations[PLACE_ANNOTATION]).toBe(`${build.NAMESPACE}/${SECRET_NAME}`);
  });

  test('the first claim on a host wins, whether the configuration names the host or the cloud', () => {
    const requests = [build.buildRequest('a'), build.buildRequest('b', ['both.example', 'b.example'])];
    const desired = build.buildDesired(build.buildRule({ requests }));
    const answers = { a: build.buildFresh('a', { hosts: ['both.example'], password: 'first' }), b: B };
    const content = contentOf(plan(desired, answers));
    expect(parseEntries(content.annotations[CREDENTIALS_ANNOTATION])).toEqual({
      'b.example': B_RECORD,
      'both.example': A_RECORD,
    });
    const written = build.buildSecret({ 'b.example': B_RECORD, 'both.example': A_RECORD });
    expect(wanted(desired, build.buildContext({ secrets: [written] }))).toEqual([]);
  });
});
