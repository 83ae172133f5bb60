// What is done so that there are the resources that are declared: a case for each row of the table.
import { describe, expect, test } from '@jest/globals';
import type { Declarations } from '../../../src/core/declared-resources.ts';
import { DECLARED_LABEL, declaredLabels, managedLabels } from '../../../src/core/names.ts';
import {
  nameOfWrite,
  planDeclarations,
  type DeclarationWorld,
  type FoundResource,
} from '../../../src/core/plan-declared.ts';
import { INSTANCE, MINUTE, NOW } from '../../support/builders.ts';

const SPEC = { namespaces: '*', docker: { server: 'a.example', username: 'u', password: 'fake-password' } };
const OURS = declaredLabels(INSTANCE);

function found(name: string, parts: Partial<FoundResource> = {}): FoundResource {
  return { name, uid: `uid-${name}`, resourceVersion: '7', generation: 1, labels: OURS, spec: SPEC, ...parts };
}

function declarations(parts: Partial<Declarations> = {}): Declarations {
  return {
    ...{ resources: [{ name: 'a', spec: SPEC }], kept: new Set<string>(), areAll: true, issues: [], passwords: [] },
    ...parts,
  };
}

function world(parts: Partial<DeclarationWorld> = {}): DeclarationWorld {
  const nobody = new Map<string, number>();
  return {
    ...{ declarations: declarations(), found: [found('a')], instance: INSTANCE, written: new Map() },
    ...{ contendedUntil: nobody, refusedUntil: nobody },
    ...parts,
  };
}

/** `create-resource a`, and what is left alone as `NameTaken a`. */
function decided(parts: Partial<DeclarationWorld>): readonly string[] {
  const { writes, skips } = planDeclarations(world(parts));
  return [
    ...writes.map((write) => `${write.kind} ${nameOfWrite(write)}`),
    ...skips.map(({ reason, name }) => `${reason} ${name}`),
  ];
}

const FOREIGN = managedLabels(INSTANCE);
const NONE = declarations({ resources: [] });

describe('the plan', () => {
  test.each<[string, Partial<DeclarationWorld>, readonly string[]]>([
    ['makes what is missing', { found: [] }, ['create-resource a']],
    ['leaves what is right', {}, []],
    [
      'does not mind the order of fields',
      { found: [found('a', { spec: Object.fromEntries(Object.entries(SPEC).toReversed()) })] },
      [],
    ],
    [
      'puts right what was edited',
      { found: [found('a', { spec: { ...SPEC, namespaces: 'x' } })] },
      ['update-resource a'],
    ],
    [
      'takes away what was added',
      { found: [found('a', { spec: { ...SPEC, serviceAccounts: '*' } })] },
      ['update-resource a'],
    ],
    ['deletes what is declared no more', { declarations: NONE }, ['delete-resource a']],
    ['deletes nothing while the Secret is not there', { declarations: undefined }, []],
    ['deletes nothing while an item cannot be told', { declarations: { ...NONE, areAll: false } }, []],
    ['keeps what an unusable item made', { declarations: { ...NONE, kept: new Set(['a']) } }, []],
    ['leaves somebody else’s alone, and says so', { found: [found('a', { labels: {}, spec: {} })] }, ['NameTaken a']],
    [
      'leaves another installation’s alone',
      { found: [found('a', { labels: declaredLabels('blue') })] },
      ['NameTaken a'],
    ],
    [
      'leaves one without the label that it was declared',
      { found: [found('a', { labels: FOREIGN })] },
      ['NameTaken a'],
    ],
    ['deletes no one else’s', { declarations: NONE, found: [found('a', { labels: FOREIGN })] }, []],
    [
      'waits where another writer resists',
      { found: [], contendedUntil: new Map([['a', NOW + MINUTE]]) },
      ['Contended a'],
    ],
    [
      'waits where the API server refuses, and goes on with the others',
      {
        declarations: declarations({ resources: ['a', 'b'].map((name) => ({ name, spec: SPEC })) }),
        ...{ found: [], refusedUntil: new Map([['a', NOW + MINUTE]]) },
      },
      ['create-resource b', 'WriteRefused a'],
    ],
  ])('%s', (_sentence, parts, expected) => {
    expect(decided(parts)).toEqual(expected);
  });

  test('looks again when the first pause ends', () => {
    const contendedUntil = new Map([['a', NOW + MINUTE]]);
    expect(planDeclarations(world({ found: [], contendedUntil })).nextCheckAt).toBe(NOW + MINUTE);
    expect(planDeclarations(world()).nextCheckAt).toBeUndefined();
  });

  test('guards a write by exactly what was found', () => {
    const live = found('a', { spec: {} });
    expect(planDeclarations(world({ found: [live] })).writes).toMatchObject([{ found: live }]);
  });

  test('says how to hand a resource over, by the label that it lacks', () => {
    expect(Object.keys(OURS)).toContain(DECLARED_LABEL);
    const [skip] = planDeclarations(world({ found: [found('a', { labels: {} })] })).skips;
    expect(skip?.message).toContain('hand it over by our labels');
    expect(skip?.uid).toBe('uid-a');
  });
});

describe('a definition that keeps only a part of the spec', () => {
  const pruned = found('a', { generation: 4, spec: { docker: SPEC.docker } });
  const written = { uid: 'uid-a', generation: 4, spec: SPEC };

  test.each<[string, Partial<typeof written>, readonly string[]]>([
    ['is written to once', {}, []],
    ['is written to once, also before the watch shows it', { generation: 5 }, []],
    ['is written to again after an edit by hand', { generation: 3 }, ['update-resource a']],
    ['is written to when the declaration changes', { spec: { ...SPEC, namespaces: 'x' } }, ['update-resource a']],
    ['is written to when it is another resource', { uid: 'uid-other' }, ['update-resource a']],
  ])('%s', (_sentence, parts, expected) => {
    expect(decided({ found: [pruned], written: new Map([['a', { ...written, ...parts }]]) })).toEqual(expected);
  });
});
