// The resources as rules: what stays of one that cannot be understood any more, and what is told of it.
import { describe, expect, test } from '@jest/globals';
import { ResourceRules } from '../../../src/controller/resource-rules.ts';
import { parseImagePullSecret } from '../../../src/core/image-pull-secret.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import type { Resource } from '../../../src/kube/resource-objects.ts';
import { createProviders, withResourceProvider } from '../../../src/providers/table.ts';
import { SAMPLE_SPEC } from '../../support/image-pull-secrets.ts';

const parseItem = createItemParser(withResourceProvider(createProviders()), {
  namespace: 'kube-system',
  secretNamespaces: [],
});
const resource = (spec: unknown, uid = 'u-1'): Resource => ({
  ...{ name: 'a', uid, generation: 1, resourceVersion: '1', labels: {} },
  ...{ spec, status: undefined },
});
const rulesWith = (...edits: readonly Resource[]): ResourceRules => {
  const rules = new ResourceRules((name, spec) => parseImagePullSecret(name, spec, parseItem));
  edits.forEach((after, at) => rules.take({ before: edits[at - 1], after }));
  return rules;
};
const LISTED = { areListed: true };
const BAD = { ...SAMPLE_SPEC, docker: { ...SAMPLE_SPEC.docker, server: 'https://a.example' } };

describe('a resource that cannot be understood', () => {
  test('keeps the rule that it had', () => {
    const rules = rulesWith(resource(SAMPLE_SPEC), resource(BAD));
    expect(rules.ruleOf('a')).toMatchObject({ secretName: 'tcr.ipsa' });
    expect(rules.issuesOf('a')).toMatchObject([{ path: 'spec.docker.server' }]);
  });

  test('has none when it never had one, or another had its name', () => {
    expect(rulesWith(resource(BAD)).ruleOf('a')).toBeUndefined();
    expect(rulesWith(resource(SAMPLE_SPEC), resource(BAD, 'u-2')).ruleOf('a')).toBeUndefined();
  });

  test('has the rule that another process had, as long as it is the same resource and was never understood here', () => {
    const kept = rulesWith(resource(SAMPLE_SPEC), resource(BAD), resource({ ...BAD, namespaces: 'web' })).keptFrom();
    expect(kept).toMatchObject([{ name: 'a', uid: 'u-1', spec: { namespaces: '*' } }]);
    expect(JSON.stringify(kept)).not.toContain(SAMPLE_SPEC.docker.password);
    const restored = rulesWith(resource(BAD));
    expect([restored.restore(kept, LISTED), restored.ruleOf('a')?.secretName]).toEqual([true, 'tcr.ipsa']);
    expect(restored.issuesOf('a')).toMatchObject([{ path: 'spec.docker.server' }]);
    // It goes on to whoever comes next.
    expect(restored.keptFrom()).toEqual(kept);
    const another = rulesWith(resource(BAD, 'u-2'));
    expect([another.restore(kept, LISTED), another.ruleOf('a')]).toEqual([false, undefined]);
    const better = rulesWith(resource({ ...SAMPLE_SPEC, namespaces: 'web' }));
    expect([better.restore(kept, LISTED), better.ruleOf('a')?.scope.namespaces.names]).toEqual([
      false,
      new Set(['web']),
    ]);
  });

  test('has it also when it is listed long after that was read, and is remembered until then', () => {
    const kept = rulesWith(resource(SAMPLE_SPEC), resource(BAD)).keptFrom();
    const rules = rulesWith();
    expect(rules.restore(kept, { areListed: false })).toBe(false);
    expect(rules.keptFrom()).toEqual(kept);
    rules.take({ before: undefined, after: resource(BAD) });
    expect(rules.keptFrom()).toEqual(kept);
    expect([rules.restore(rules.keptFrom(), LISTED), rules.ruleOf('a')?.secretName]).toEqual([true, 'tcr.ipsa']);
    expect(rules.keptFrom()).toEqual(kept);
  });

  test('is remembered no longer when it is not among those that are listed', () => {
    const kept = rulesWith(resource(SAMPLE_SPEC), resource(BAD)).keptFrom();
    const rules = rulesWith();
    rules.restore(kept, { areListed: false });
    rules.take({ before: undefined, after: resource(BAD, 'u-2') });
    expect([rules.restore(rules.keptFrom(), LISTED), rules.keptFrom()]).toEqual([false, []]);
  });

  test('is no longer kept when it is mended or gone', () => {
    const rules = rulesWith(resource(SAMPLE_SPEC), resource(BAD));
    expect(rules.keptFrom()).toHaveLength(1);
    rules.take({ before: resource(BAD), after: resource(SAMPLE_SPEC) });
    expect(rules.keptFrom()).toEqual([]);
  });

  test.each<[string, readonly Resource[], Resource | undefined, readonly string[] | undefined]>([
    ['comes: nothing of it was ever written', [], resource(BAD), []],
    ['is deleted, and never had a rule here: what it left may be anywhere', [resource(BAD)], undefined, undefined],
    ['is mended after it never had a rule here: the same', [resource(BAD)], resource(SAMPLE_SPEC), undefined],
    ['is edited to another such: the same', [resource(BAD)], resource({ ...BAD, namespaces: 'web' }), undefined],
    ['is deleted, and its last rule is known', [resource(SAMPLE_SPEC), resource(BAD)], undefined, ['tcr.ipsa']],
    ['takes the place of one with a rule', [resource(SAMPLE_SPEC)], resource(BAD, 'u-2'), ['tcr.ipsa']],
  ])('%s', (_what, edits, after, touched) => {
    const { rules } = rulesWith(...edits).take({ before: edits.at(-1), after });
    expect(rules?.map(({ secretName }) => secretName)).toEqual(touched);
  });

  test.each([
    [
      'its password',
      'Sup3r$ecret!',
      { namespaces: 'Sup3r$ecret!', docker: { ...SAMPLE_SPEC.docker, password: 'Sup3r$ecret!' } },
    ],
    [
      'a password that it is none of',
      'hunter2-pw.x',
      { ...SAMPLE_SPEC, docker: { ...SAMPLE_SPEC.docker, server: 'https://hunter2-pw.x/' } },
    ],
    ['something long and mixed', 'Abcdefgh12345', { ...SAMPLE_SPEC, serviceAccounts: 'Abcdefgh12345' }],
  ])('is told of without %s', (_what, secret, spec) => {
    const issues = rulesWith(resource(spec)).issuesOf('a');
    expect(issues).not.toEqual([]);
    expect(JSON.stringify(issues)).not.toContain(secret);
  });
});

describe('user name and password', () => {
  const { server, username, password } = SAMPLE_SPEC.docker;
  const withDocker = (docker: object, spec: object = {}): Resource => resource({ ...SAMPLE_SPEC, ...spec, docker });
  const GOOD = withDocker({ server, username, password });
  const WRONG = 'https://b.example';
  const OTHERS = { username: 'theirs', password: 'their-fake-password' };
  const REFERRED = { server, username, passwordSecretRef: { name: 'login' } };

  test.each<[string, readonly Resource[], Readonly<Record<string, string>>]>([
    ['are those that are written', [GOOD], { username, password }],
    ['are followed', [GOOD, withDocker({ server, ...OTHERS })], OTHERS],
    ['stay those that they were in a wrong edit of something else', [GOOD, resource(BAD)], { username, password }],
    ['of a wrong edit are not those of the registry before it', [GOOD, withDocker({ server: WRONG, ...OTHERS })], {}],
    [
      'of a wrong edit are not taken where something else is wrong',
      [GOOD, withDocker({ server, ...OTHERS }, { excludeNamespaces: ['x'] })],
      {},
    ],
    [
      'are there again when they are put back',
      [GOOD, withDocker({ server: WRONG, ...OTHERS }), GOOD],
      { username, password },
    ],
    [
      'are those of the edit when the registry is put right',
      [GOOD, withDocker({ server: WRONG, ...OTHERS }), withDocker({ server: 'b.example', ...OTHERS })],
      OTHERS,
    ],
    [
      'go on as they were where a Secret holds the password',
      [withDocker(REFERRED), withDocker({ ...REFERRED, server: WRONG, username: 'theirs' })],
      { username },
    ],
  ])('%s', (_what, edits, data) => {
    const rules = rulesWith(...edits);
    expect(rules.source('a')?.data).toEqual(data);
    // Whoever comes next finds the same.
    const last = edits.at(-1);
    const next = rulesWith(...(last === undefined ? [] : [last]));
    next.restore(rules.keptFrom(), LISTED);
    expect(next.source('a')).toEqual(rules.source('a'));
  });

  test('count as changed when they are taken, never by a wrong edit', () => {
    const rules = rulesWith();
    let before: Resource | undefined;
    const isOther = (after: Resource | undefined): boolean => {
      const { isOtherSource } = rules.take({ before, after });
      before = after;
      return isOtherSource;
    };
    expect(isOther(GOOD)).toBe(true);
    expect(isOther(withDocker({ server: WRONG, ...OTHERS }))).toBe(false);
    expect(isOther(GOOD)).toBe(false);
    expect(isOther(withDocker({ server: WRONG, ...OTHERS }))).toBe(false);
    expect(isOther(withDocker({ server: 'b.example', ...OTHERS }))).toBe(true);
    expect(isOther(undefined)).toBe(true);
    expect(rules.source('a')).toBeUndefined();
  });
});

describe('when one of two decides whether the other is served, everything is looked at', () => {
  const { server, username } = SAMPLE_SPEC.docker;
  const publisher = { ...SAMPLE_SPEC, docker: { server, username, passwordSecretRef: { name: 'login' } } };
  const keeper = {
    namespaces: 'none',
    tcr: { registryId: 'tcr-a1b2c3d4', region: 'ap-x', apiKeySecretRef: { name: 'login' } },
  };
  const named = (name: string, spec: unknown): Resource => ({ ...resource(spec, `u-${name}`), name });

  test.each<[string, readonly Resource[], Resource | undefined, Resource | undefined, boolean]>([
    ['one comes that names the Secret of the other', [named('a', publisher)], undefined, named('b', keeper), true],
    ['it goes', [named('a', publisher), named('b', keeper)], named('b', keeper), undefined, true],
    ['one comes that names another Secret', [named('a', SAMPLE_SPEC)], undefined, named('b', keeper), false],
    [
      'one comes after the other has let the Secret go',
      [named('a', publisher), named('a', SAMPLE_SPEC)],
      undefined,
      named('b', keeper),
      false,
    ],
    ['one comes that publishes the same', [named('a', publisher)], undefined, named('b', publisher), false],
  ])('%s', (_what, there, before, after, isAny) => {
    const rules = rulesWith();
    for (const one of there) rules.take({ before: undefined, after: one });
    expect(rules.take({ before, after }).rules === undefined).toBe(isAny);
  });
});
