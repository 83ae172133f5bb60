// The definition of `ImagePullSecret` on a real API server: what it shows, keeps and refuses before anybody else looks.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import {
  applyCrd,
  CRD_FILE,
  CRD_NAME,
  readCrd,
  resource,
  RESOURCES_PATH,
  SAMPLE_SPEC,
  SAMPLE_STATUS,
} from '../support/image-pull-secrets.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';

const START_MS = 60_000;
const DOCKER = SAMPLE_SPEC.docker;

/** Longer than any field may be. */
const LONG = 'x'.repeat(2_000);

let plane: ControlPlane;
let kubectl: Kubectl;
beforeAll(async () => {
  plane = await startControlPlane();
  kubectl = await kubectlOf(plane);
}, START_MS);
afterAll(() => plane.stop());

describe('the definition', () => {
  /** As strangers might have stored resources before: no rule at all. */
  const withoutRules = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withoutRules);
    if (typeof value !== 'object' || value === null) return value;
    const kept = Object.entries(value).filter(
      ([key]) => !['x-kubernetes-validations', 'maxLength', 'maxItems', 'maxProperties', 'enum'].includes(key),
    );
    return Object.fromEntries(kept.map(([key, content]) => [key, withoutRules(content)]));
  };
  const STORED = {
    'both-passwords': { ...SAMPLE_SPEC, docker: { ...DOCKER, passwordSecretRef: { name: 'login' } } },
    'no-server': { namespaces: 'a' },
    'bad-robot': { tcr: { tokenMode: 'robot' } },
    'bad-mode': { tcr: { registryId: 'tcr-a1b2c3d4', tokenMode: 'eternal' } },
    [`long-${'a'.repeat(245)}`]: SAMPLE_SPEC,
    'endless-scope': {
      docker: DOCKER,
      excludeNamespaces: 'a*,'.repeat(11_000),
      namespaceSelector: {
        matchLabels: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`l${at}`, 'x'])),
        matchExpressions: Array.from({ length: 101 }, () => ({ key: 'team', operator: 'Exists' })),
      },
      serviceAccountSelector: {
        matchExpressions: [{ key: 'team', operator: 'In', values: Array<string>(1_001).fill('a') }],
      },
    },
    'long-texts': {
      tcr: {
        ...{ registryId: 'tcr-a1b2c3d4', tokenMode: 'robot', region: LONG, description: LONG },
        ...{ domains: [LONG], namespaces: [LONG], assumeRoleARN: LONG, externalId: LONG },
        ...{ apiKeySecretRef: { name: LONG, namespace: LONG } },
        webIdentity: { providerId: LONG, roleARN: LONG, tokenFile: LONG },
      },
    },
  };

  test('is taken by kubectl apply, also over one under which bad resources were stored; those can be labelled, reported on and deleted', async () => {
    await applyCrd(kubectl, withoutRules(readCrd()) as Record<string, unknown>);
    for (const [name, spec] of Object.entries(STORED)) {
      const body = resource(name, spec, { finalizers: ['example.com/held'] });
      expect(await plane.request({ method: 'POST', path: RESOURCES_PATH, body })).toMatchObject({ status: 201 });
    }
    const { code, stderr } = await kubectl(['apply', '-f', CRD_FILE]);
    expect([code, stderr]).toEqual([0, '']);
    const refused = resource('both-too', STORED['both-passwords']);
    await eventually('the new definition is in force', async () => {
      const path = `${RESOURCES_PATH}?dryRun=All`;
      return (await plane.request({ method: 'POST', path, body: refused })).status === 422;
    });

    for (const name of Object.keys(STORED)) {
      const path = `${RESOURCES_PATH}/${name}`;
      const merge = (body: unknown, suffix = '') =>
        plane.request({ method: 'PATCH', path: path + suffix, body, contentType: 'application/merge-patch+json' });
      expect([name, (await merge({ metadata: { labels: { seen: 'yes' } } })).status]).toEqual([name, 200]);
      expect([name, (await merge({ status: { secretsDesired: 1 } }, '/status')).status]).toEqual([name, 200]);
      expect([name, (await plane.request({ method: 'DELETE', path })).status]).toEqual([name, 200]);
      expect([name, (await merge({ metadata: { finalizers: null } })).status]).toEqual([name, 200]);
      await eventually(`${name} is gone`, async () => (await plane.request({ path })).status === 404);
    }
  });

  test('[tcr C1] has the vendor’s names, and is of the whole cluster', async () => {
    const { body } = await plane.request({ path: '/apis/tcr.tencentcloudcr.com/v1' });
    const { resources } = body as { resources: readonly { readonly name: string }[] };
    expect(resources.find(({ name }) => name === 'imagepullsecrets')).toMatchObject({
      kind: 'ImagePullSecret',
      singularName: 'imagepullsecret',
      namespaced: false,
      shortNames: ['ips', 'ipss'],
    });
    expect(resources.map(({ name }) => name)).toContain('imagepullsecrets/status');
    const { body: crd } = await plane.request({
      path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CRD_NAME}`,
    });
    expect(crd).toMatchObject({ spec: { names: { listKind: 'ImagePullSecretList' }, versions: [{ name: 'v1' }] } });
    for (const name of ['ips', 'ipss', 'imagepullsecret', 'imagepullsecrets']) {
      expect((await kubectl(['get', name])).code).toBe(0);
    }
  });

  test('has nothing to complain of for the API server', async () => {
    const { body } = await plane.request({
      path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CRD_NAME}`,
    });
    const { conditions } = (body as { status: { conditions: readonly { type: string; status: string }[] } }).status;
    expect(conditions.filter(({ type }) => type === 'NonStructuralSchema' || type === 'NamesAccepted')).toMatchObject([
      { type: 'NamesAccepted', status: 'True' },
    ]);
  });
});

describe('the vendor’s sample', () => {
  const name = 'tcr-a1b2c3d4-vpc';
  const path = `${RESOURCES_PATH}/${name}`;
  const writeStatus = (status: unknown) =>
    plane.request({
      method: 'PATCH',
      path: `${path}/status`,
      body: { status },
      contentType: 'application/merge-patch+json',
    });

  test('is stored as it is, and its status beside it', async () => {
    const { code, stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify(resource(name, SAMPLE_SPEC)));
    expect([code, stderr]).toEqual([0, '']);
    expect((await writeStatus(SAMPLE_STATUS)).status).toBe(200);
    const { body } = await plane.request({ path });
    expect(body).toMatchObject({ metadata: { generation: 1 }, spec: SAMPLE_SPEC, status: SAMPLE_STATUS });
    expect(Object.keys(body as object).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  });

  test('[tcr C2] is listed in the vendor’s columns, and with -o wide also whether it is ready and until when', async () => {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Delivered', message: '', observedGeneration: 1 }];
    expect((await writeStatus({ conditions, expiresAt: '2036-01-01T00:00:00Z' })).status).toBe(200);
    const table = async (...more: string[]) =>
      (await kubectl(['get', 'ips', ...more])).stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/));
    const columns = ['NAME', 'NAMESPACES', 'SERVICE-ACCOUNTS', 'SECRETS-DESIRED', 'SECRETS-SUCCESS'];
    const row = [name, '*', 'default,builder', '2', '2'];
    expect(await table()).toEqual([columns, row]);
    expect(await table('-o', 'wide')).toEqual([
      [...columns, 'READY', 'EXPIRES'],
      [...row, 'True', '2036-01-01T00:00:00Z'],
    ]);
  });

  test('[tcr C4] keeps lists in its status that nobody knows, both spellings of the counters, and failures of any form', async () => {
    const unknown = {
      SAsDesired: 47,
      SAsSuccess: 1,
      hostsUpdateFailed: [{ node: 'a', tries: 3 }, 'b'],
      secretUpdateFailed: ['web/a', { namespacedName: 'web/b', code: 403 }],
      secretUpdateSuccessful: [{ namespacedName: 'web/c', updatedAt: '2026-01-01T00:00:00Z', by: 'tcr-assistant' }],
    };
    expect((await writeStatus(unknown)).status).toBe(200);
    const { body } = await plane.request({ path });
    const { status } = body as { status: unknown };
    expect(status).toMatchObject({ ...SAMPLE_STATUS, ...unknown });
  });
});

describe('a resource', () => {
  const legal: readonly (readonly [string, unknown])[] = [
    ['without lists', { docker: DOCKER }],
    ['with empty lists, and one of commas alone', { namespaces: '', serviceAccounts: ',', docker: DOCKER }],
    ['with names that are none', { namespaces: '*,a', serviceAccounts: 'a*, b ,', docker: DOCKER }],
    ['with fields that are written and empty', { namespaces: null, serviceAccounts: null, docker: DOCKER }],
    [
      'whose password is in a Secret',
      { docker: { ...DOCKER, password: undefined, passwordSecretRef: { name: 'login' } } },
    ],
    [
      'whose password is in a Secret, beside an empty one',
      {
        docker: {
          ...DOCKER,
          password: '',
          passwordSecretRef: { name: 'login', namespace: 'kube-system', key: 'token' },
        },
      },
    ],
    ['that is minted', { tcr: { registryId: 'tcr-a1b2c3d4', region: 'ap-guangzhou' } }],
    [
      'that is minted, with everything that there is',
      {
        namespaceSelector: {
          matchLabels: { team: 'web' },
          matchExpressions: [{ key: 'tier', operator: 'In', values: ['a'] }],
        },
        serviceAccountSelector: { matchExpressions: [{ key: 'legacy', operator: 'DoesNotExist' }] },
        excludeNamespaces: 'kube-*,!kube-public',
        docker: { server: 'acme-prod.tencentcloudcr.com' },
        tcr: {
          registryId: 'tcr-a1b2c3d4',
          region: 'ap-guangzhou',
          tokenMode: 'robot',
          description: 'Cluster one',
          domains: ['acme-prod.tencentcloudcr.com'],
          namespaces: ['team-a'],
          apiKeySecretRef: { name: 'api-key', namespace: 'kube-system' },
          identity: 'webIdentity',
          webIdentity: { providerId: 'p', roleARN: 'r', tokenFile: '/f' },
          assumeRoleARN: 'qcs::cam::uin/1:roleName/a',
          externalId: 'x',
          expireDuration: 3600,
        },
      },
    ],
  ];

  test.each(legal)('%s is stored as it is written', async (_name, spec) => {
    const body = resource('legal', spec);
    const path = `${RESOURCES_PATH}?fieldValidation=Strict`;
    const { status, body: stored } = await plane.request({ method: 'POST', path, body });
    expect([status, stored]).toMatchObject([201, { spec: withoutNulls(spec) }]);
    expect((await plane.request({ method: 'DELETE', path: `${RESOURCES_PATH}/legal` })).status).toBe(200);
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    [
      'with two passwords',
      { docker: { ...DOCKER, passwordSecretRef: { name: 'login' } } },
      'spec.docker: Invalid value: password and passwordSecretRef exclude each other, keep passwordSecretRef',
    ],
    ['without a registry', { namespaces: '*' }, 'spec: Invalid value: docker.server is missing'],
    ['with an empty server', { docker: { ...DOCKER, server: '' } }, 'spec: Invalid value: docker.server is missing'],
    ['with another mode', { tcr: { tokenMode: 'eternal' } }, 'spec.tcr.tokenMode: Unsupported value: "eternal"'],
    [
      'with a robot of no instance',
      { tcr: { tokenMode: 'robot', namespaces: ['team-a'] } },
      'spec.tcr: Invalid value: registryId is missing',
    ],
    [
      'with a robot that may pull nothing',
      { tcr: { tokenMode: 'robot', registryId: 'tcr-a1b2c3d4' } },
      'spec.tcr: Invalid value: namespaces is missing',
    ],
    ['with another identity', { tcr: { identity: 'mine' } }, 'spec.tcr.identity: Unsupported value: "mine"'],
    [
      'whose Secret has no name',
      { docker: { ...DOCKER, password: '', passwordSecretRef: {} } },
      'spec.docker.passwordSecretRef.name: Required value',
    ],
    [
      'whose user is a number',
      { docker: { ...DOCKER, username: 100099990001 } },
      'spec.docker.username: Invalid value: "integer"',
    ],
    [
      'with a description that the cloud would not take',
      { tcr: { registryId: 'tcr-a1b2c3d4', tokenMode: 'longterm', description: 'x'.repeat(256) } },
      'spec.tcr.description: Too long',
    ],
    [
      'with more values than are compared',
      {
        docker: DOCKER,
        namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: Array<string>(1_001).fill('a') }] },
      },
      'spec.namespaceSelector.matchExpressions[0].values: Too many',
    ],
    ['with a misspelt field', { namespaceSelectors: {}, docker: DOCKER }, 'unknown field "spec.namespaceSelectors"'],
  ];

  test.each(refused)('%s is refused, with the path', async (_name, spec, says) => {
    const { code, stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify(resource('refused', spec)));
    expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
    expect(stderr).not.toContain(DOCKER.password);
  });

  test('whose Secret would have too long a name is refused', async () => {
    const nameOf = (length: number) => `${'a'.repeat(length - 1)}b`;
    const apply = (length: number) =>
      kubectl(['apply', '--dry-run=server', '-f', '-'], JSON.stringify(resource(nameOf(length), SAMPLE_SPEC)));
    expect(await apply(246)).toMatchObject({ code: 0 });
    expect(await apply(247)).toMatchObject({ code: 1, stderr: expect.stringContaining('metadata.name: Too long') });
  });

  test('has every field explained by kubectl explain', async () => {
    const { stdout } = await kubectl(['explain', 'ips.spec.docker.password']);
    expect(stdout).toMatch(/DESCRIPTION:\s+Password in clear text: everybody who may read this resource can read it\./);
    const { stdout: all } = await kubectl(['explain', 'ips.spec', '--recursive']);
    expect(all).toMatch(/passwordSecretRef\s+<Object>/);
    expect(undescribed(readCrd(), 'the file')).toEqual([]);
  });
});

/** What the API server stores: fields that are written and empty are absent. */
function withoutNulls(spec: unknown): unknown {
  return JSON.parse(JSON.stringify(spec, (_key, value: unknown) => value ?? undefined));
}

/** Places of the fields without a description; the API server describes `metadata` itself. */
function undescribed(value: unknown, at: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { properties } = value as { properties?: Record<string, { description?: string }> };
  const here = Object.entries(properties ?? {}).flatMap(([name, { description = '' }]) =>
    description === '' && name !== 'metadata' ? [`${at}.${name}`] : [],
  );
  return [...here, ...Object.entries(value).flatMap(([key, content]) => undescribed(content, `${at}.${key}`))];
}
