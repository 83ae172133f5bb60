// What becomes of the Secrets of resources when the definition is removed and made anew, whatever happens in between.
import { describe, expect, test } from '@jest/globals';
import { desiredFor } from '../../../src/core/desired.ts';
import { effectiveConfig, type KnownResource, type KnownResources } from '../../../src/core/effective-config.ts';
import { DEFINITION_ANNOTATION } from '../../../src/core/names.ts';
import { planNamespace } from '../../../src/core/plan.ts';
import type { Plan } from '../../../src/core/plan-types.ts';
import type { CredentialAnswer, ObservedSecret } from '../../../src/core/types.ts';
import {
  buildContext,
  buildDefaults,
  buildFresh,
  buildRecord,
  buildRequest,
  buildRule,
  buildScope,
  buildSecret,
  buildServiceAccount,
  patterns,
} from '../../support/builders.ts';

const DEFAULTS = buildDefaults();

const NAME = 'tcr.ipsa';
const KEY = 'image-pull-secret/a';
const FIRST = 'uid-of-the-first-definition';
const SECOND = 'uid-of-the-second-definition';
const rule = buildRule({
  secretName: NAME,
  scope: buildScope({ namespaces: patterns('*') }),
  requests: [buildRequest(KEY, ['a.example'])],
});
const elsewhere = { ...rule, scope: buildScope({ namespaces: patterns('elsewhere') }) };
const resource = (its: KnownResource['rule']): KnownResource => ({ name: 'a', rule: its });

function plan(
  known: Partial<KnownResources>,
  secret: Partial<ObservedSecret> | undefined,
  answers: ReadonlyMap<string, CredentialAnswer> = new Map(),
): Plan {
  const secrets =
    secret === undefined ? [] : [buildSecret({ 'a.example': buildRecord(KEY) }, { name: NAME, ...secret })];
  const account = buildServiceAccount({ imagePullSecrets: [NAME], recorded: [NAME] });
  const config = effectiveConfig({ ...DEFAULTS, rules: [] }, { known: [], areAll: true, ...known }, DEFAULTS);
  if (config === undefined) throw new Error('nothing is in force');
  const context = buildContext({ secrets, serviceAccounts: [account] });
  return planNamespace(desiredFor(config, context.observed.namespace), answers, context);
}
const wordsOf = ({ writes }: Plan): readonly string[] => writes.map(({ kind, reason }) => `${kind} ${reason}`);

const STAYS: readonly string[] = [];
const MARKED = ['mark-secret DefinitionChanged'];
const GOES = ['patch-service-account ReferenceUnwanted', 'delete-secret SecretUnwanted'];

describe('a Secret of a resource', () => {
  test.each<[string, string | undefined, Partial<KnownResources>, readonly string[]]>([
    // The definition stays.
    ['goes with its resource, also when that went while we were down', FIRST, { definition: FIRST }, GOES],
    ['stays as it is while its resource wants it', FIRST, { definition: FIRST, known: [resource(rule)] }, STAYS],
    // The definition is gone.
    [
      'stays while the definition is gone and its resource is remembered',
      FIRST,
      { definition: FIRST, areAll: false, known: [resource(rule)] },
      STAYS,
    ],
    ['stays while the definition is gone and we were started again', FIRST, { areAll: false }, STAYS],
    // It was made anew.
    ['of an earlier definition stays as long as its resource is not back', FIRST, { definition: SECOND }, STAYS],
    [
      'is noted under the definition when its resource is back',
      FIRST,
      { definition: SECOND, known: [resource(rule)] },
      MARKED,
    ],
    [
      'goes where the resource that is back does not reach',
      FIRST,
      { definition: SECOND, known: [resource(elsewhere)] },
      GOES,
    ],
    [
      'is noted, and stays, when what is back cannot be understood',
      FIRST,
      { definition: SECOND, known: [resource(undefined)] },
      MARKED,
    ],
    // And the resource deleted under the new one.
    ['that was noted goes when its resource is deleted, also while we are down', SECOND, { definition: SECOND }, GOES],
    [
      'that was not noted yet goes when its resource is deleted before our eyes',
      FIRST,
      { definition: SECOND, deleted: new Set(['a']) },
      GOES,
    ],
    [
      'that was not noted yet stays when we are started again before it is gone: nothing tells the two from each other',
      FIRST,
      { definition: SECOND },
      STAYS,
    ],
    // Others lead.
    [
      'that an earlier leader noted is not taken for an orphan by one that has not heard of the new definition',
      SECOND,
      { definition: FIRST },
      STAYS,
    ],
    ['that nobody noted stays without a resource', undefined, { definition: FIRST }, STAYS],
    ['that nobody noted is noted for its resource', undefined, { definition: FIRST, known: [resource(rule)] }, MARKED],
    ['that the vendor’s add-on serves is not touched', FIRST, { definition: SECOND, areAll: false, known: [] }, STAYS],
  ])('%s', (_what, definition, known, words) => {
    expect(wordsOf(plan(known, { definition }))).toEqual(words);
  });

  test('is written once when it is wrong too, and bears the definition then', () => {
    const known = { definition: SECOND, known: [resource(rule)] };
    const { writes } = plan(known, { definition: FIRST, contentDigest: 'other' }, new Map([[KEY, buildFresh(KEY)]]));
    expect(writes).toMatchObject([
      { kind: 'update-secret', content: { annotations: { [DEFINITION_ANNOTATION]: SECOND } } },
    ]);
  });

  test('that is made while the definition is gone bears the one under which its resource was known', () => {
    const known = { definition: FIRST, areAll: false, known: [resource(rule)] };
    expect(plan(known, undefined, new Map([[KEY, buildFresh(KEY)]])).writes).toMatchObject([
      { kind: 'create-secret', content: { annotations: { [DEFINITION_ANNOTATION]: FIRST } } },
    ]);
  });

  test('that is a copy of ours is not touched', () => {
    const known = { definition: SECOND, known: [resource(elsewhere)] };
    const copy = { definition: FIRST, place: `other/${NAME}` };
    expect(wordsOf(plan(known, copy))).toEqual(['patch-service-account ReferenceUnwanted']);
    expect(wordsOf(plan({ ...known, known: [resource(undefined)] }, copy))).toEqual([]);
  });
});

test('a Secret of the ConfigMap bears no definition', () => {
  const own = buildRule({ requests: [buildRequest('own', ['b.example'])] });
  const config = effectiveConfig(
    { ...DEFAULTS, rules: [own] },
    { known: [], areAll: true, definition: FIRST },
    DEFAULTS,
  );
  if (config === undefined) throw new Error('nothing is in force');
  const context = buildContext();
  const answers = new Map([['own', buildFresh('own')]]);
  const [write] = planNamespace(desiredFor(config, context.observed.namespace), answers, context).writes;
  if (write?.kind !== 'create-secret') throw new Error('nothing is created');
  expect(write.content.annotations).not.toHaveProperty([DEFINITION_ANNOTATION]);
});
