// The validating webhook on a real API server, as a person with kubectl meets it: what it refuses, what it never holds up, and how
// it comes, is kept and goes.
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { authoritySecretName } from '../../src/core/names.ts';
import { authorityData } from '../../src/webhook/authority.ts';
import { AUTHORITY_LIFE_MS, createAuthority, readBundle } from '../../src/webhook/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { secretsEverywhere } from '../support/expectations.ts';
import {
  applyCrd,
  readCrd,
  resource,
  RESOURCES_PATH,
  SAMPLE_PASSWORD,
  SAMPLE_SPEC,
} from '../support/image-pull-secrets.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { programCalls } from '../support/program-calls.ts';
import { runCommand } from '../support/run-command.ts';
import { linesSaying, metric } from '../support/signs.ts';
import {
  servedLeaf,
  startServing,
  startSwitchboard,
  VALIDATING_PATH,
  webhookObject,
  withWebhook,
  type Switchboard,
} from '../support/webhook.ts';
import { startWorld, type Replica, type World } from '../support/world.ts';

const DOCKER = SAMPLE_SPEC.docker;
const REQUESTS = 'registry_credential_helper_webhook_requests_total';
const SECRET = authoritySecretName('default');
/** A port where nobody listens. */
const NOBODY = 9;

jest.setTimeout(180_000);

let world: World;
let switchboard: Switchboard;
let kubectl: Kubectl;
let replica: Replica & { readonly port: number };

beforeAll(async () => {
  world = await startWorld();
  switchboard = await startSwitchboard();
  kubectl = await kubectlOf(world.plane);
  await applyCrd(kubectl);
  await world.putAccessKey();
  await world.cluster.namespace('team-a');
  // Without the key `webhook-configuration`: that one is about ServiceAccounts.
  await world.configure(withWebhook(world, ''));
}, 180_000);
afterAll(async () => {
  await world.stop();
  await switchboard.stop();
});

const object = () => webhookObject(world, VALIDATING_PATH);
const apply = (name: string, spec: unknown, metadata?: Readonly<Record<string, unknown>>) =>
  kubectl(['apply', '-f', '-'], JSON.stringify(resource(name, spec, metadata)));
const removeAll = () => kubectl(['delete', 'ips', '--all', '--wait=false']);
const create = (name: string, spec: unknown, dryRun = false) =>
  world.plane.request({
    method: 'POST',
    path: `${RESOURCES_PATH}${dryRun ? '?dryRun=All' : ''}`,
    body: resource(name, spec),
  });
/** The schema lets this pass, and nobody who reads it. */
const BAD = { namespaces: '*,a', docker: { ...DOCKER, server: 'https://acme.example' } };
const asked = () =>
  eventually('the API server asks the webhook', async () => (await create('probe', BAD, true)).status === 422);
/** Writes a resource that the webhook would refuse, as one is there that was written while nobody answered. */
async function storeBad(name: string, metadata: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await switchboard.route(NOBODY);
  const body = resource(name, BAD, metadata);
  const { status } = await world.plane.request({ method: 'POST', path: RESOURCES_PATH, body });
  expect(status).toBe(201);
  await switchboard.route(replica.port);
  await asked();
}

describe('the webhook', () => {
  test('comes by itself, for good or bad configurations, with a policy that holds nobody up', async () => {
    const startedAt = Date.now();
    replica = await startServing(world, { url: switchboard.url });
    await switchboard.route(replica.port);
    await secretsEverywhere(world, ['team-a']);
    const found = await eventually('it is there', object);
    expect(await webhookObject(world)).toBeUndefined();
    expect(found.webhooks).toMatchObject([
      {
        failurePolicy: 'Ignore',
        timeoutSeconds: 3,
        sideEffects: 'None',
        rules: [
          {
            operations: ['CREATE', 'UPDATE'],
            apiGroups: ['tcr.tencentcloudcr.com'],
            resources: ['imagepullsecrets'],
            scope: 'Cluster',
          },
        ],
        clientConfig: { url: `${switchboard.url}/validate-imagepullsecrets` },
      },
    ]);
    expect(found.metadata).toMatchObject({
      labels: { 'app.kubernetes.io/managed-by': 'registry-credential-helper', 'app.kubernetes.io/instance': 'default' },
      ownerReferences: [{ kind: 'ClusterRole', name: 'registry-credential-helper' }],
    });
    await asked();
    expect((await replica.http('/readyz'))?.status).toBe(200);
    expect((await programCalls(world, startedAt)).filter(({ resource: what }) => what?.includes('signing'))).toEqual(
      [],
    );
  });

  const refused: readonly (readonly [string, object, string])[] = [
    ['an empty server', { docker: { ...DOCKER, server: ' ' } }, 'spec.docker.server'],
    ['a scheme', { docker: { ...DOCKER, server: 'https://acme.example' } }, 'spec.docker.server'],
    ['a path', { docker: { ...DOCKER, server: 'acme.example/team' } }, 'spec.docker.server'],
    ['an empty user name', { docker: { ...DOCKER, username: '' } }, 'spec.docker.username'],
    ['no password', { docker: { ...DOCKER, password: '' } }, 'spec.docker.password'],
    ['a pattern as a namespace', { namespaces: 'team-*', docker: DOCKER }, 'spec.namespaces'],
    ['an asterisk among names', { namespaces: '*,team-a', docker: DOCKER }, 'spec.namespaces'],
    ['an illegal ServiceAccount', { serviceAccounts: 'default,Builder_1', docker: DOCKER }, 'spec.serviceAccounts'],
    ['a list without a name', { serviceAccounts: ',', docker: DOCKER }, 'spec.serviceAccounts'],
    [
      'a Secret of another namespace',
      { docker: { ...DOCKER, password: '', passwordSecretRef: { name: 'a', namespace: 'b' } } },
      'spec.docker.passwordSecretRef.namespace',
    ],
  ];
  test.each(refused)('[tcr V1] refuses %s, and says where', async (_what, spec, field) => {
    const { code, stderr } = await apply('refused', spec);
    expect(code).toBe(1);
    expect(stderr).toContain('The ImagePullSecret "refused" is invalid:');
    expect(stderr).toContain(`${field}: `);
    expect(stderr).not.toContain(SAMPLE_PASSWORD);
    expect((await kubectl(['get', 'ips', 'refused'])).code).toBe(1);
  });

  test('[tcr V1] refuses a name that is too long for its Secret', async () => {
    const { code, stderr } = await apply('a'.repeat(247), SAMPLE_SPEC);
    expect([code, stderr]).toEqual([1, expect.stringContaining('metadata.name: ')]);
  });

  test('[tcr V1] tells of everything at once, as the API server itself does', async () => {
    const { status, body } = await create('several', BAD);
    expect(status).toBe(422);
    expect(body).toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining('imagepullsecrets.registry-credential-helper.io'),
      details: { causes: [{ field: 'spec.namespaces' }, { field: 'spec.docker.server' }] },
    });
    expect(await metric(replica, REQUESTS, { outcome: 'ResourceRefused' })).toBeGreaterThan(5);
  });

  test('takes the vendor’s sample, and warns of its clear-text password, not of one in a Secret', async () => {
    const { code, stdout, stderr } = await apply('sample', SAMPLE_SPEC);
    expect([code, stdout]).toEqual([0, 'imagepullsecret.tcr.tencentcloudcr.com/sample created\n']);
    expect(stderr).toMatch(/^Warning: spec\.docker\.password: is in clear text.*spec\.docker\.passwordSecretRef\n$/);
    const { server, username } = DOCKER;
    const referring = { ...SAMPLE_SPEC, docker: { server, username, passwordSecretRef: { name: 'login' } } };
    expect(await apply('referring', referring)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a bad resource that is stored', () => {
  const path = `${RESOURCES_PATH}/stored`;
  const edit = (body: unknown) =>
    world.plane.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
  beforeAll(() => storeBad('stored', { finalizers: ['example.com/held'] }));

  test('[tcr V3] is labelled, reported on and edited beside what is wrong', async () => {
    expect((await edit({ metadata: { labels: { seen: 'yes' } } })).status).toBe(200);
    const status = await world.plane.request({
      method: 'PATCH',
      path: `${path}/status`,
      body: { status: { secretsDesired: 1 } },
      contentType: 'application/merge-patch+json',
    });
    expect(status.status).toBe(200);
    expect((await edit({ spec: { serviceAccounts: 'app' } })).status).toBe(200);
    expect((await edit({ spec: { serviceAccounts: 'a*' } })).body).toMatchObject({
      details: { causes: [{ field: 'spec.serviceAccounts' }] },
    });
    expect((await edit({ spec: { namespaces: 'a' } })).status).toBe(200);
    expect((await edit({ spec: { namespaces: '*,b' } })).status).toBe(422);
  });

  test('[tcr V3] is deleted, and lets go of by whoever held it', async () => {
    expect((await world.plane.request({ method: 'DELETE', path })).status).toBe(200);
    expect((await edit({ metadata: { finalizers: null } })).status).toBe(200);
    await eventually('it is gone', async () => (await world.plane.request({ path })).status === 404);
  });
});

describe('a resource of a megabyte', () => {
  const many = (text: string) => text.repeat(Math.floor(1_000_000 / text.length));
  const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`_${at}`, '!']));
  const LARGE: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['patterns', { excludeNamespaces: many('_,'), docker: DOCKER }],
    ['a password', { namespaces: 'a*', docker: { ...DOCKER, password: many('x') } }],
    ['labels', { namespaceSelector: { matchLabels: labels }, docker: DOCKER }],
  ];
  const refused = async (): Promise<number> => (await metric(replica, REQUESTS, { outcome: 'ResourceRefused' })) ?? 0;

  test.each(LARGE)('of %s is refused by our definition before anybody is asked', async (_what, spec) => {
    const before = await refused();
    expect((await create('large', spec, true)).status).toBe(422);
    expect(await refused()).toBe(before);
  });

  describe('where the definition bounds nothing, as the vendor’s', () => {
    beforeAll(() => applyCrd(kubectl, unbounded(readCrd())));
    afterAll(() => applyCrd(kubectl));

    test.each([['names', { namespaces: many('A_,'), docker: DOCKER }] as const, ...LARGE])(
      'of %s is answered in time, and the next one too',
      async (_what, spec) => {
        // The API server takes the definition in a moment after it says so.
        const { body, before } = await eventually('it gets to us', async () => {
          const seen = await refused();
          const answer = await create('large', spec, true);
          expect(answer.status).toBe(422);
          return (await refused()) === seen + 1 ? { ...answer, before: seen } : undefined;
        });
        expect(JSON.stringify(body).length).toBeLessThan(65_536);
        expect(await refused()).toBe(before + 1);
        expect((await create('small', SAMPLE_SPEC, true)).status).toBe(201);
      },
    );
  });
});

describe('its certificate', () => {
  const bundle = async (): Promise<readonly X509Certificate[]> => {
    const pem = (await object())?.webhooks[0]?.clientConfig.caBundle ?? '';
    return readBundle(Buffer.from(pem, 'base64').toString('utf8'));
  };

  test('[tcr V4] rotates under load without a restart: not one bad resource passes', async () => {
    const { pid } = replica.process;
    const leaf = await servedLeaf(replica.port);
    const [before] = await bundle();
    // Two thirds of the life of this one are over in a moment.
    const old = await createAuthority(
      'registry-credential-helper old',
      Date.now() - (AUTHORITY_LIFE_MS * 2) / 3 + 5_000,
    );
    const data: Readonly<Record<string, string>> = Object.fromEntries(
      Object.entries(authorityData(old, [])).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    let refusals = 0;
    const others: number[] = [];
    const stop = new AbortController();
    const load = (async () => {
      while (!stop.signal.aborted) {
        const { status } = await create('probe', BAD, true);
        if (status === 422) refusals += 1;
        else others.push(status);
      }
    })();
    await world.cluster.patch('secrets', SECRET, { data }, 'kube-system');
    await eventually('another authority is trusted', async () => {
      const [first] = await bundle();
      return first !== undefined && first.fingerprint256 !== before?.fingerprint256;
    });
    await eventually('it serves another leaf', async () => (await servedLeaf(replica.port)) !== leaf, 60_000);
    const atSwitch = refusals;
    await eventually('the load goes on', () => refusals > atSwitch + 50);
    stop.abort();
    await load;
    expect(others).toEqual([]);
    // New connections, which are shown the new leaf: trusted, too.
    await switchboard.route(replica.port);
    await asked();
    for (let index = 0; index < 20; index += 1) expect((await create('probe', BAD, true)).status).toBe(422);
    expect(replica.process.pid).toBe(pid);
    expect((await programCalls(world, 0)).filter(({ resource: what }) => what?.includes('certificatesigning'))).toEqual(
      [],
    );
    expect(await linesSaying(replica, 'A right is missing')).toEqual([]);
  });
});

describe('the webhook object', () => {
  test.each([
    ['edited', 'PATCH', { webhooks: null }],
    ['deleted', 'DELETE', undefined],
  ] as const)('is put right at once when it is %s', async (_what, method, body) => {
    const wanted = (await object())?.webhooks;
    const patch = method === 'PATCH' ? { contentType: 'application/merge-patch+json', body } : {};
    expect((await world.plane.request({ method, path: VALIDATING_PATH, ...patch })).status).toBe(200);
    await eventually(
      'it is right again',
      async () => JSON.stringify((await object())?.webhooks) === JSON.stringify(wanted),
    );
    await asked();
  });

  test('stays while the other one is switched on and off', async () => {
    const uid = (await object())?.metadata.uid;
    await world.configure(withWebhook(world, 'enable: true\n'));
    await eventually('the other one is there', () => webhookObject(world));
    await world.configure(withWebhook(world, ''));
    await eventually('the other one is gone', async () => (await webhookObject(world)) === undefined);
    expect((await object())?.metadata.uid).toBe(uid);
    await asked();
  });
});

describe('with the webhook down', () => {
  test('a bad resource is stored, and changed and deleted; nobody waits long', async () => {
    await replica.process.stop({ signal: 'SIGKILL' });
    const startedAt = Date.now();
    expect(await apply('dead', BAD)).toMatchObject({ code: 0 });
    expect(await apply('dead', { ...BAD, serviceAccounts: 'b*' })).toMatchObject({ code: 0 });
    expect(await kubectl(['delete', 'ips', 'dead'])).toMatchObject({ code: 0 });
    expect(Date.now() - startedAt).toBeLessThan(15_000);
  });

  test('a process that was not told how to serve it removes it', async () => {
    const plain = await world.startController();
    await eventually('it is gone', async () => (await object()) === undefined);
    expect((await plain.http('/readyz'))?.status).toBe(200);
    await plain.stop();
  });

  test('cleanup removes it', async () => {
    replica = await startServing(world, { url: switchboard.url });
    await eventually('it is there', object);
    await replica.stop();
    await removeAll();
    const { code, output } = await runCommand(world, 'cleanup');
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(/^deleted ValidatingWebhookConfiguration registry-credential-helper-default\n/),
    ]);
    expect(await object()).toBeUndefined();
  });
});

describe('without the right to keep it', () => {
  const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/registry-credential-helper';
  test('the webhook for ServiceAccounts is served all the same, and the lack is named', async () => {
    const { body } = await world.plane.request({ path: role });
    const { rules } = body as { rules: readonly { readonly resources: readonly string[] }[] };
    const fewer = rules.map((rule) => ({
      ...rule,
      resources: rule.resources.filter((name) => !name.startsWith('validating')),
    }));
    await world.plane.request({
      method: 'PATCH',
      path: role,
      body: { rules: fewer },
      contentType: 'application/merge-patch+json',
    });
    await world.configure(withWebhook(world, 'enable: true\n'));
    replica = await startServing(world, { url: switchboard.url });
    await switchboard.route(replica.port);
    await eventually('the other one is there', () => webhookObject(world), 60_000);
    expect(await object()).toBeUndefined();
    const lines = await linesSaying(replica, 'A right is missing');
    expect(lines.map(({ detail }) => detail)).toContainEqual(
      expect.stringContaining('validatingwebhookconfigurations'),
    );
    expect((await replica.http('/readyz'))?.status).toBe(200);

    await world.plane.request({
      method: 'PATCH',
      path: role,
      body: { rules },
      contentType: 'application/merge-patch+json',
    });
    await eventually('it comes with the right', object, 90_000);
    await asked();
  });
});

/** The same without the bounds of lists, maps and long texts. */
function unbounded(crd: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(crd, (key, value: unknown) => {
    const isLong = key === 'maxLength' && typeof value === 'number' && value > 1_024;
    return isLong || key === 'maxItems' || key === 'maxProperties' ? undefined : value;
  });
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
