// What the validating webhook refuses: what the request brought, said with its field, and nothing that is secret.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideResource, type ResourceRequest } from '../../../src/core/resource-admission.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders, withResourceProvider } from '../../../src/providers/table.ts';

const providers = new Map(withResourceProvider(createProviders()));
const ofProviders = createItemParser(providers, { namespace: 'kube-system', secretNamespaces: [] });
const PASSWORD = 'Fake-Passw0rd';
const REF = { passwordSecretRef: { name: 'login' } };
const LOGIN = { server: 'acme-prod.tencentcloudcr.com', username: '100099990001' };
const DOCKER = { ...LOGIN, ...REF };
const CLEAR = { ...LOGIN, password: PASSWORD };

const decide = (spec: unknown, request: Partial<ResourceRequest> = {}, parseItem = ofProviders) =>
  decideResource({ name: 'acme', spec, deleting: false, before: undefined, ...request }, parseItem);
const fieldsOf = (spec: unknown, request?: Partial<ResourceRequest>) =>
  decide(spec, request).causes.map(({ field }) => field);

describe('a new resource', () => {
  test('that the controller understands passes without a word', () => {
    expect(decide({ namespaces: 'a, b', docker: DOCKER })).toEqual({
      reason: 'ResourceAccepted',
      causes: [],
      warnings: [],
    });
  });

  test('with a password in clear text passes with a warning that names the cure', () => {
    const { reason, warnings } = decide({ docker: CLEAR });
    expect([reason, warnings]).toEqual([
      'ResourceAccepted',
      [expect.stringMatching(/^spec\.docker\.password: is in clear text.*passwordSecretRef$/)],
    ]);
    expect(decide({ docker: { ...DOCKER, password: '' } }).warnings).toEqual([]);
  });

  test('with a field that nobody reads passes with a warning', () => {
    const { reason, warnings } = decide({ docker: { ...DOCKER, pasword: 'x' } });
    expect([reason, warnings]).toEqual([
      'ResourceAccepted',
      [expect.stringContaining('spec.docker.pasword: unknown field')],
    ]);
  });

  test.each<readonly [string, unknown, readonly string[], string?]>([
    ['an empty server', { docker: { ...DOCKER, server: '' } }, ['spec.docker.server']],
    ['a scheme', { docker: { ...DOCKER, server: 'https://acme.example' } }, ['spec.docker.server']],
    ['a path', { docker: { ...DOCKER, server: 'acme.example/team' } }, ['spec.docker.server']],
    ['an empty user name', { docker: { ...DOCKER, username: ' ' } }, ['spec.docker.username']],
    ['no password', { docker: LOGIN }, ['spec.docker.password']],
    ['two passwords', { docker: { ...DOCKER, password: 'x' } }, ['spec.docker.password']],
    ['a pattern as a namespace', { namespaces: 'a*', docker: DOCKER }, ['spec.namespaces']],
    ['an asterisk among names', { namespaces: '*,a', docker: DOCKER }, ['spec.namespaces']],
    ['a list without a name', { serviceAccounts: ',', docker: DOCKER }, ['spec.serviceAccounts']],
    [
      'two names that are none',
      { serviceAccounts: 'A,b_c', docker: DOCKER },
      ['spec.serviceAccounts', 'spec.serviceAccounts'],
    ],
    ['a name that is too long', { docker: DOCKER }, ['metadata.name'], 'a'.repeat(247)],
    ['no spec', undefined, ['spec.docker.server', 'spec.docker.username', 'spec.docker.password']],
    [
      'a selector that cannot be read',
      { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] }, docker: DOCKER },
      ['spec.namespaceSelector.matchExpressions[0]'],
    ],
    ['an instance that is none', { tcr: { registryId: 'cri-1' } }, ['spec.tcr.registryId']],
    ['a mode that is none', { tcr: { registryId: 'tcr-a1b2c3d4', tokenMode: 'eternal' } }, ['spec.tcr.tokenMode']],
    ['a domain that is none', { tcr: { registryId: 'tcr-a1b2c3d4', domains: ['a/b'] } }, ['spec.tcr.domains']],
    [
      'a server that is none, minted',
      { docker: { server: 'a/b' }, tcr: { registryId: 'tcr-a1b2c3d4' } },
      ['spec.docker.server'],
    ],
  ])('[tcr V1] with %s is refused at that field', (_what, spec, fields, name = 'acme') => {
    expect(decide(spec, { name }).reason).toBe('ResourceRefused');
    expect(fieldsOf(spec, { name })).toEqual(fields);
  });

  test('that is minted needs neither user name nor password', () => {
    const spec = { docker: { server: LOGIN.server, password: '' }, tcr: { registryId: 'tcr-a1b2c3d4' } };
    expect(decide(spec)).toEqual({ reason: 'ResourceAccepted', causes: [], warnings: [] });
  });

  test('of a kind that this version does not serve is refused', () => {
    const { reason, causes } = decide({ tcr: {} }, {}, () => undefined);
    expect([reason, causes]).toEqual([
      'ResourceRefused',
      [{ field: 'spec', message: 'is not served by this version' }],
    ]);
  });
});

describe('a change', () => {
  const BAD = { namespaces: 'a*', docker: { ...CLEAR, server: 'https://acme.example' } };

  test('[tcr V3] of a bad resource that leaves its spec alone passes, whatever the order of its fields', () => {
    const { docker, namespaces } = BAD;
    const same = decide({ docker, namespaces }, { before: { spec: BAD } });
    expect(same).toEqual({ reason: 'ResourceUnchanged', causes: [], warnings: [] });
  });

  test('[tcr V3] of a bad resource that is being deleted passes', () => {
    expect(decide({}, { deleting: true, before: { spec: BAD } }).reason).toBe('ResourceUnchanged');
  });

  test.each<readonly [string, unknown, unknown, readonly string[]]>([
    ['of another field', BAD, { ...BAD, serviceAccounts: 'app' }, []],
    ['that puts one of two bad fields right', BAD, { ...BAD, namespaces: 'a' }, []],
    ['that breaks a good field beside bad ones', BAD, { ...BAD, serviceAccounts: '*,x' }, ['spec.serviceAccounts']],
    ['of a bad field to another bad value', BAD, { ...BAD, namespaces: 'b*' }, ['spec.namespaces']],
    [
      'of a bad field to another value that is bad in the same way',
      BAD,
      { ...BAD, docker: { ...BAD.docker, server: 'http://acme.example' } },
      ['spec.docker.server'],
    ],
    ['that adds a name to a bad list', BAD, { ...BAD, namespaces: 'a*,b' }, ['spec.namespaces']],
    ['that takes the password away', { docker: CLEAR }, { docker: LOGIN }, ['spec.docker.password']],
    ['that adds a second password', { docker: CLEAR }, { docker: { ...CLEAR, ...REF } }, ['spec.docker.password']],
    ['that moves the password into a Secret', { docker: CLEAR }, { docker: DOCKER }, []],
    ['that rotates the password', { docker: CLEAR }, { docker: { ...CLEAR, password: 'another' } }, []],
    [
      'of a selector while its neighbour is bad',
      { namespaceSelector: { matchExpressions: [{ key: 'a' }, { key: 'b' }] }, docker: DOCKER },
      { namespaceSelector: { matchExpressions: [{ key: 'a' }, { key: 'c' }] }, docker: DOCKER },
      ['spec.namespaceSelector.matchExpressions[1]'],
    ],
  ])('[tcr V3] %s is refused only at what it brought', (_what, before, after, fields) => {
    const { reason, causes } = decide(after, { before: { spec: before } });
    expect(causes.map(({ field }) => field)).toEqual(fields);
    expect(reason).toBe(fields.length === 0 ? 'ResourceAccepted' : 'ResourceRefused');
  });

  test('tells of what was wrong before as a warning', () => {
    const { warnings } = decide({ ...BAD, serviceAccounts: 'app' }, { before: { spec: BAD } });
    expect(warnings.map((text) => text.split(': ')[0])).toEqual([
      'spec.docker.password',
      'spec.namespaces',
      'spec.docker.server',
    ]);
  });
});

describe('what is said', () => {
  const said = (spec: unknown) => JSON.stringify(decide(spec));

  test('quotes the name that is wrong', () => {
    expect(decide({ namespaces: 'web, a*', docker: DOCKER }).causes).toMatchObject([
      { field: 'spec.namespaces', message: expect.stringMatching(/write exact names; it reads "a\*"$/) },
    ]);
  });

  const JWT = `eyJhbGciOiJSUzI1NiJ9.${'eyJVc2VySWQiOiIxIn0'.repeat(4)}.c2lnbmF0dXJl`;
  test.each<readonly [string, string, unknown]>([
    ['a password as the server', PASSWORD, { docker: { ...DOCKER, server: `${PASSWORD}!` } }],
    ['a password as the user name', PASSWORD, { docker: { ...DOCKER, username: `${PASSWORD}:x` } }],
    ['a password as a namespace', PASSWORD, { namespaces: PASSWORD, docker: DOCKER }],
    ['a password as a pattern', PASSWORD, { excludeNamespaces: `x_${PASSWORD}`, docker: DOCKER }],
    ['a token as the server', JWT.slice(0, 40), { docker: { ...DOCKER, server: JWT } }],
    ['a token as a ServiceAccount', JWT.slice(0, 40), { serviceAccounts: JWT, docker: DOCKER }],
    ['a login in the address', 'hunter', { docker: { ...DOCKER, server: 'me:hunter@acme.example' } }],
    [
      'the password of the resource as a namespace too',
      'only letters',
      { namespaces: 'only letters', docker: { ...LOGIN, password: 'only letters' } },
    ],
    [
      'the password of the resource as the name of a Secret',
      'lower-case-word',
      {
        docker: {
          ...LOGIN,
          password: 'lower-case-word',
          passwordSecretRef: { name: 'lower-case-word', namespace: 'other' },
        },
      },
    ],
    [
      'the password of the resource as a field',
      'lower',
      { namespaceSelector: { lower: 1 }, docker: { ...LOGIN, password: 'lower' } },
    ],
  ])('does not hold %s', (_what, secret, spec) => {
    expect(decide(spec).reason).toBe('ResourceRefused');
    expect(said(spec)).not.toContain(secret);
  });

  test('is bounded, and decided before the API server gives up, however large the resource is', () => {
    const many = (text: string) => text.repeat(Math.floor(1_000_000 / text.length));
    const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`_${index}`, '!']));
    const hostile: readonly unknown[] = [
      { namespaces: many('A,'), serviceAccounts: many('_,'), docker: DOCKER },
      { namespaces: many('a'), excludeNamespaces: many('_,'), docker: DOCKER },
      { excludeNamespaces: many('*a?'), docker: DOCKER },
      { excludeNamespaces: '_,'.repeat(16_000), docker: DOCKER },
      { namespaceSelector: { matchLabels: labels }, docker: labels },
      { namespaceSelector: { matchExpressions: Array.from({ length: 10_000 }, () => ({ key: '_' })) }, docker: DOCKER },
      { docker: { server: many('a.'), username: many('a:'), password: many('ab') } },
      { docker: { ...DOCKER, passwordSecretRef: { name: many('a'), [many('k')]: many('v') } } },
      {
        docker: Object.fromEntries(
          Array.from({ length: 10_000 }, (_, at) => [`server${'-'.repeat(at % 99)}${'_'.repeat(at / 99)}`, 'a']),
        ),
      },
      { docker: many('x'), tcr: many('y'), namespaces: labels, serviceAccounts: [labels] },
    ];
    for (const spec of hostile) {
      // CPU time: how busy the machine is does not count.
      const before = process.cpuUsage();
      const text = said(spec);
      decide({ ...(spec as object), namespaces: 'x' }, { before: { spec } });
      expect(process.cpuUsage(before).user / 1_000).toBeLessThan(3_000);
      expect(text.length).toBeLessThan(16_384);
    }
  });

  test('never throws, and refuses nothing that was as it is', () => {
    const field = fc.oneof(fc.jsonValue(), fc.string());
    const spec = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          namespaces: field,
          serviceAccounts: field,
          excludeNamespaces: field,
          namespaceSelector: field,
          docker: fc.oneof(
            field,
            fc.record({ server: field, username: field, password: field, passwordSecretRef: field }),
          ),
          tcr: field,
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(spec, spec, (before, after) => {
        expect(['ResourceAccepted', 'ResourceRefused']).toContain(decide(after).reason);
        expect(decide(before, { before: { spec: structuredClone(before) } }).reason).toBe('ResourceUnchanged');
        const moved = decide(after, { before: { spec: before } });
        const fresh = decide(after).causes.map(({ field: at, message }) => `${at} ${message}`);
        for (const { field: at, message } of moved.causes) expect(fresh).toContain(`${at} ${message}`);
      }),
      { numRuns: 1_000 },
    );
  });
});
