// Reviews in, answers out: what can be read is decided from memory, what cannot passes with a warning, and nothing ever throws.
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { referencesAnnotation } from '../../../src/core/names.ts';
import type { ObservedNamespace } from '../../../src/core/types.ts';
import type { ItemParser } from '../../../src/core/registry-items.ts';
import {
  createResourceHandler,
  createReviewHandler,
  type AdmissionOutcome,
  type HandlerWorld,
} from '../../../src/webhook/handlers.ts';
import { buildRule, buildScope, patterns } from '../../support/builders.ts';
import { applyJsonPatch } from '../../support/json-patch.ts';
import {
  buildResourceReview,
  buildReview,
  PLAIN_ACCOUNT,
  readAnswer,
  type ReviewParts,
} from '../../support/reviews.ts';

const OURS = 'registry-credentials';
const ANNOTATION = referencesAnnotation('default');
const SHOP: ObservedNamespace = { name: 'shop', labels: {}, terminating: false };

const RESOURCE = { group: 'tcr.tencentcloudcr.com', version: 'v1', kind: 'ImagePullSecret' };

let outcomes: AdmissionOutcome[];
let problems: { readonly why: string; readonly error?: unknown }[];
beforeEach(() => {
  outcomes = [];
  problems = [];
});

function handler(parts: Partial<HandlerWorld> = {}): (body: string) => string {
  return createReviewHandler({
    instance: 'default',
    config: () => ({ rules: [buildRule()] }),
    namespace: (name) => (name === 'shop' ? SHOP : undefined),
    elapsed: () => 0,
    onAnswered: ({ outcome }) => void outcomes.push(outcome),
    onProblem: (problem) => void problems.push(problem),
    ...parts,
  });
}

const answerTo = (parts: ReviewParts) => readAnswer(handler()(buildReview(parts)));

describe('a review', () => {
  test('of a ServiceAccount that lacks the reference is answered with a patch under its own uid', () => {
    const answer = answerTo({ uid: 'uid-9' });
    expect(answer).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'uid-9', allowed: true, patchType: 'JSONPatch' },
    });
    expect(applyJsonPatch<object>(PLAIN_ACCOUNT, answer.patch ?? [])).toMatchObject({
      metadata: { annotations: { [ANNOTATION]: OURS } },
      imagePullSecrets: [{ name: OURS }],
    });
    expect(outcomes).toEqual(['ReferenceMissing']);
  });

  test.each<readonly [string, ReviewParts, AdmissionOutcome]>([
    ['by this program', { fieldManager: 'registry-credential-helper' }, 'OwnWrite'],
    ['of a name that is not known yet', { object: { metadata: { generateName: 'x-' } } }, 'LeftToWatch'],
    ['of what has everything', { object: { ...PLAIN_ACCOUNT, imagePullSecrets: [{ name: OURS }] } }, 'NothingMissing'],
    ['of a change that we had no part in', { operation: 'UPDATE', oldObject: PLAIN_ACCOUNT }, 'LeftToWatch'],
    [
      'of what is being deleted',
      { object: { metadata: { name: 'default', deletionTimestamp: 'now' } } },
      'NothingMissing',
    ],
  ])('%s is allowed without a patch or a warning', (_, parts, outcome) => {
    expect(answerTo(parts).response).toEqual({ uid: 'uid-1', allowed: true });
    expect(outcomes).toEqual([outcome]);
    expect(problems).toEqual([]);
  });

  test('of a list that was replaced is answered with what the old object had recorded', () => {
    const oldObject = {
      metadata: { name: 'default', annotations: { [ANNOTATION]: OURS } },
      imagePullSecrets: [{ name: OURS }],
    };
    const object = { ...PLAIN_ACCOUNT, imagePullSecrets: [{ name: 'theirs' }, {}] };
    const answer = answerTo({ operation: 'UPDATE', object, oldObject });
    expect(applyJsonPatch<object>(object, answer.patch ?? [])).toMatchObject({
      imagePullSecrets: [{ name: 'theirs' }, {}, { name: OURS }],
      metadata: { annotations: { [ANNOTATION]: OURS } },
    });
  });

  test('of a name that is yet to be made is answered where the rules mean every such name', () => {
    const rules = [buildRule({ scope: buildScope({ serviceAccounts: patterns('ci-*') }) })];
    const object = { metadata: { generateName: 'ci-' } };
    const { patch } = readAnswer(handler({ config: () => ({ rules }) })(buildReview({ object })));
    expect(applyJsonPatch<object>(object, patch ?? [])).toMatchObject({ imagePullSecrets: [{ name: OURS }] });
  });

  test('of a list that is null gets one', () => {
    const object = { metadata: { name: 'default', annotations: null }, imagePullSecrets: null };
    expect(applyJsonPatch<object>(object, answerTo({ object }).patch ?? [])).toEqual({
      metadata: { name: 'default', annotations: { [ANNOTATION]: OURS } },
      imagePullSecrets: [{ name: OURS }],
    });
  });
});

describe('what cannot be read passes as it is, with a warning', () => {
  test.each<readonly [string, string, string, string]>([
    ['no JSON', '{', '', 'it is no JSON'],
    ['nothing', '', '', 'it is no JSON'],
    ['null', 'null', '', 'it holds no request'],
    [
      'a review without a request',
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
      '',
      'it holds no request',
    ],
    [
      'an older version',
      buildReview().replace('k8s.io/v1', 'k8s.io/v1beta1'),
      'uid-1',
      'it is no admission.k8s.io/v1 review',
    ],
    [
      'another kind of review',
      buildReview().replace('AdmissionReview', 'ConversionReview'),
      'uid-1',
      'it is no admission.k8s.io/v1 review',
    ],
    ['a review without uid', buildReview({ request: { uid: 7 } }), '', 'it has no uid'],
    [
      'a Pod',
      buildReview({ request: { kind: { group: '', version: 'v1', kind: 'Pod' } } }),
      'uid-1',
      'it is not about a ServiceAccount',
    ],
    ['a token of one', buildReview({ request: { subResource: 'token' } }), 'uid-1', 'it is not about a ServiceAccount'],
    ['a deletion', buildReview({ operation: 'DELETE', object: null }), 'uid-1', 'it is neither CREATE nor UPDATE'],
    ['one of no namespace', buildReview({ namespace: '' }), 'uid-1', 'it names no namespace'],
    ['one without an object', buildReview({ object: null }), 'uid-1', 'its object cannot be read'],
    ['one whose metadata are a text', buildReview({ object: { metadata: 'x' } }), 'uid-1', 'its object cannot be read'],
    ['a change without the old object', buildReview({ operation: 'UPDATE' }), 'uid-1', 'its old object cannot be read'],
  ])('%s', (_, body, uid, why) => {
    const { response, patch } = readAnswer(handler()(body));
    const warnings = [`registry-credential-helper could not read this request: ${why}`];
    expect(response).toEqual({ uid, allowed: true, warnings });
    expect(patch).toBeUndefined();
    expect(outcomes).toEqual(['BadReview']);
    expect(problems).toEqual([{ why }]);
  });

  test('a bug of ours', () => {
    const error = new Error('a bug');
    const broken = handler({
      namespace: () => {
        throw error;
      },
    });
    const { response } = readAnswer(broken(buildReview()));
    expect(response).toMatchObject({ uid: 'uid-1', allowed: true });
    expect(response.warnings?.[0]).toContain('the watch repairs');
    expect(outcomes).toEqual(['Unexpected']);
    expect(problems).toMatchObject([{ error }]);
  });
});

describe('a review of an ImagePullSecret', () => {
  /** Everything is right but the server. */
  const parseItem: ItemParser = (_provider, { server }) =>
    server === 'good'
      ? { ok: true, issues: [], value: { provider: 'p', target: {}, cacheKey: 'c', hosts: [], secret: undefined } }
      : { ok: false, issues: [{ severity: 'error', path: 'server', message: 'is not good' }] };
  const handle = (parse: ItemParser = parseItem) =>
    createResourceHandler({
      parseItem: parse,
      elapsed: () => 0,
      onAnswered: ({ outcome }) => void outcomes.push(outcome),
      onProblem: (problem) => void problems.push(problem),
    });
  const resource = (server: string, metadata: object = {}) => ({
    metadata: { name: 'acme', ...metadata },
    spec: { docker: { server, password: 'Fake-Passw0rd' } },
  });

  test('that is right is answered with what is to be said about it', () => {
    const { response } = readAnswer(handle()(buildResourceReview(resource('good'))));
    expect(response).toEqual({
      uid: 'uid-1',
      allowed: true,
      warnings: [expect.stringContaining('spec.docker.password: is in clear text')],
    });
    expect(outcomes).toEqual(['ResourceAccepted']);
  });

  test('that is wrong is refused as the API server itself refuses, field by field', () => {
    const spec = { namespaces: '*,a', docker: { server: 'bad' } };
    const { response } = readAnswer(handle()(buildResourceReview({ metadata: { name: 'acme' }, spec })));
    expect(response).toMatchObject({
      allowed: false,
      status: {
        status: 'Failure',
        code: 422,
        reason: 'Invalid',
        message: expect.stringMatching(/^spec\.namespaces: `\*` stands alone .*; spec\.docker\.server: is not good$/),
        details: {
          group: 'tcr.tencentcloudcr.com',
          kind: 'ImagePullSecret',
          name: 'acme',
          causes: [
            { reason: 'FieldValueInvalid', field: 'spec.namespaces' },
            { reason: 'FieldValueInvalid', field: 'spec.docker.server', message: 'is not good' },
          ],
        },
      },
    });
    expect(outcomes).toEqual(['ResourceRefused']);
  });

  test.each<readonly [string, unknown, unknown]>([
    ['whose labels change', resource('bad', { labels: { a: 'b' } }), resource('bad')],
    ['that is being deleted', resource('worse', { deletionTimestamp: 'now' }), resource('bad')],
  ])('%s passes without a word, however wrong it is', (_, object, before) => {
    expect(readAnswer(handle()(buildResourceReview(object, before))).response).toEqual({ uid: 'uid-1', allowed: true });
    expect(outcomes).toEqual(['ResourceUnchanged']);
  });

  test.each<readonly [string, string, string]>([
    ['no JSON', '{', 'it is no JSON'],
    ['a ServiceAccount', buildReview(), 'it is not about an ImagePullSecret'],
    [
      'its status',
      buildReview({ request: { kind: RESOURCE, subResource: 'status' } }),
      'it is not about an ImagePullSecret',
    ],
    [
      'its deletion',
      buildReview({ operation: 'DELETE', request: { kind: RESOURCE } }),
      'it is neither CREATE nor UPDATE',
    ],
    ['none', buildResourceReview(null), 'its object cannot be read'],
    ['one without a name', buildResourceReview({ metadata: {} }), 'its object has no name'],
    ['a change of nothing', buildResourceReview(resource('bad'), 'x'), 'its old object cannot be read'],
  ])('that is about %s passes with a warning', (_, body, why) => {
    const { response } = readAnswer(handle()(body));
    expect(response).toMatchObject({
      allowed: true,
      warnings: [`registry-credential-helper could not read this request: ${why}`],
    });
    expect(outcomes).toEqual(['BadReview']);
    expect(problems).toEqual([{ why }]);
  });

  test('that meets a bug of ours passes with a warning', () => {
    const broken = handle(() => {
      throw new Error('a bug');
    });
    const { response } = readAnswer(broken(buildResourceReview(resource('good'))));
    expect(response).toMatchObject({
      allowed: true,
      warnings: [expect.stringContaining('the status of the resource')],
    });
    expect(outcomes).toEqual(['Unexpected']);
  });

  test('is answered whatever is posted', () => {
    const answer = handle();
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .tuple(fc.jsonValue(), fc.option(fc.jsonValue(), { nil: undefined }))
        .map(([now, old]) => buildResourceReview(now, old)),
      fc.jsonValue().map((spec) => buildResourceReview({ metadata: { name: 'acme' }, spec })),
    );
    fc.assert(
      fc.property(anything, (body) => {
        const { response } = readAnswer(answer(body));
        expect(response.allowed || response.status?.reason === 'Invalid').toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(outcomes).not.toContain('Unexpected');
  });
});

test('whatever is posted is answered, allowed, and patched only by additions to list and record', () => {
  const answer = handler();
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ object: fc.jsonValue(), oldObject: fc.jsonValue(), operation: fc.constantFrom('CREATE', 'UPDATE') })
      .map((parts) => buildReview(parts)),
    fc
      .record({ imagePullSecrets: fc.jsonValue(), labels: fc.jsonValue(), annotations: fc.jsonValue() })
      .map(({ imagePullSecrets, labels, annotations }) =>
        buildReview({ object: { metadata: { name: 'default', labels, annotations }, imagePullSecrets } }),
      ),
  );
  fc.assert(
    fc.property(anything, (body) => {
      const { response, patch = [] } = readAnswer(answer(body));
      expect(response.allowed).toBe(true);
      for (const { op, path } of patch) {
        expect(op).toBe('add');
        expect(path).toMatch(/^\/(imagePullSecrets(\/-)?|metadata\/annotations(\/.*)?)$/);
      }
    }),
    { numRuns: 2_000 },
  );
});
