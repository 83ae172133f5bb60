// The command self-test as a process, with the rights that docs/rbac.yaml documents, beside a controller that serves the webhook: what it
// finds right, what it finds wrong, and that it changes nothing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createCertificateAuthority, type CertificateAuthority } from '../support/clouds/certificates.ts';
import { startRegistry, type Registry } from '../support/control-plane/registry.ts';
import { eventually } from '../support/eventually.ts';
import { registryInfo, secretsEverywhere, settled } from '../support/expectations.ts';
import { applyCrd } from '../support/image-pull-secrets.ts';
import { kubectlOf } from '../support/kubectl.ts';
import { runCommand } from '../support/run-command.ts';
import { intercepted, startServing, webhookObject, WEBHOOK_PATH } from '../support/webhook.ts';
import { PROGRAM_USER, startWorld, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const PASSWORD = 'not-a-real-password-of-the-self-test';
const ON = 'enable: true\n';

let world: World;
let replica: Replica & { readonly port: number };
let folder: string;
let authority: CertificateAuthority;
let registry: Registry;
/** Hosts of registries, as they are configured. */
let hosts: { readonly token: string; readonly basic: string; readonly open: string; readonly plain: string };
const servers: Server[] = [];
/** Logins that were refused so far. */
let refusals = 0;

/** An HTTPS server on loopback whose certificate our authority signed; gives its host. */
async function serve(listener: Parameters<typeof createServer>[1]): Promise<{ server: Server; host: string }> {
  const { cert, key } = await authority.issue(`server-${servers.length}`, ['127.0.0.1', 'localhost']);
  const server = createServer({ cert, key }, listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const basicOf = (password: string): string => `Basic ${btoa(`puller:${password}`)}`;

/** A registry that takes user name and password itself. */
const basicRegistry = () =>
  serve((request, response) => {
    const isIn = request.headers.authorization === basicOf(PASSWORD);
    if (!isIn && request.headers.authorization !== undefined) refusals += 1;
    response.writeHead(isIn ? 200 : 401, isIn ? {} : { 'www-authenticate': 'Basic realm="here"' }).end('{}');
  });

/** One that asks for nothing. */
const openRegistry = () => serve((_, response) => response.writeHead(200).end('{}'));

/** One that would have the password sent where anybody reads it. */
const plainRegistry = () =>
  serve((_, response) =>
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://127.0.0.1:9/token",service="s"' }).end(),
  );

/** The token service to which the real registry sends its clients: in TLS, as those of the clouds are, and for our user alone. */
async function startTokenService(): Promise<{ readonly realm: string }> {
  const { host } = await serve((request, response) => {
    const isIn = request.headers.authorization === basicOf(PASSWORD);
    if (!isIn) refusals += 1;
    response.writeHead(isIn ? 200 : 401, { 'content-type': 'application/json' });
    response.end(isIn ? '{"token":"a-token"}' : '{}');
  });
  return { realm: `https://${host}/token` };
}

const configure = (more: Readonly<Record<string, string>> = {}): Promise<void> =>
  world.configure({
    ...{ 'watch-namespace': 'team-*', 'service-account': '*', 'webhook-configuration': ON },
    'acr-registry-info': registryInfo(world),
    'secret-name': 'static-credentials',
    'registry-info': `- provider: static\n  domains: ${Object.values(hosts).join(',')}\n  secretRef: {name: static-login}\n`,
    ...more,
  });

const selfTest = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  runCommand(world, 'self-test', ['--patience=0', `--webhook-url=https://127.0.0.1:${replica.port}`, ...args], {
    NODE_EXTRA_CA_CERTS: authority.certFile,
    ...env,
  });
const line = (output: string, subject: string): string =>
  output.split('\n').find((one) => one.includes(`  ${subject}: `)) ?? `no line about ${subject} in:\n${output}`;
const login = (password: string) =>
  world.cluster.patch('secrets', 'static-login', { stringData: { username: 'puller', password } }, 'kube-system');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'self-test-'));
  authority = await createCertificateAuthority(folder);
  const furtherRights = ['create /serviceaccounts * in *'];
  world = await startWorld({ plane: { controllerManager: true }, furtherRights });
  await applyCrd(await kubectlOf(world.plane));
  const { realm } = await startTokenService();
  const { issuer, rootCertBundle } = world.clouds.endpoints().registryAuth;
  const pair = await authority.issue('registry', ['127.0.0.1']);
  registry = await startRegistry({
    auth: { realm, service: 'the-registry', issuer, rootCertBundle },
    tls: { certFile: pair.certFile, keyFile: pair.certFile.replace(/[^/]*$/, 'registry.key') },
  });
  const [basic, open, plain] = [await basicRegistry(), await openRegistry(), await plainRegistry()];
  hosts = { token: registry.host, basic: basic.host, open: open.host, plain: plain.host };
  await world.putAccessKey();
  const stringData = { username: 'puller', password: PASSWORD };
  await world.cluster.create('secrets', { metadata: { name: 'static-login' }, stringData }, 'kube-system');
  await world.cluster.namespace('team-a');
  await configure();
  replica = await startServing(world);
  await secretsEverywhere(world, ['team-a']);
  await intercepted(world, 'team-a');
  await settled(world);
}, 240_000);
afterAll(async () => {
  await world.stop();
  await registry.stop();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

describe('a healthy installation', () => {
  test('passes, with no more than the rights of the controller, and nothing is changed', async () => {
    const picture = async () => JSON.stringify(await world.cluster.list('serviceaccounts'));
    const before = await picture();
    const { code, output } = await selfTest();
    expect(line(output, 'rights')).toMatch(/^PASS/);
    expect(line(output, 'configuration')).toMatch(/^PASS/);
    for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
      expect(line(output, `webhook ${kind}`)).toMatch(
        new RegExp(`^PASS  .*The caBundle verifies what 127.0.0.1:${replica.port} serves, by name, until 20`),
      );
    }
    // The controller may not create ServiceAccounts: a change shows it.
    expect(line(output, 'admission')).toMatch(
      /^PASS {2}admission: The ServiceAccount team-a\/default without it came back, .* reference to .*acr-credential-secret-aggregation/,
    );
    expect(line(output, 'registries')).toMatch(/^SKIP/);
    expect(code).toBe(0);
    expect(await picture()).toBe(before);
  });

  test('shows it with a new ServiceAccount to whom may create one', async () => {
    const group = '/apis/rbac.authorization.k8s.io/v1';
    const metadata = { name: 'self-test' };
    const rules = [{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['create'] }];
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: PROGRAM_USER }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name };
    for (const [kind, body] of [
      ['clusterroles', { metadata, rules }],
      ['clusterrolebindings', { metadata, roleRef, subjects }],
    ] as const) {
      expect((await world.plane.request({ method: 'POST', path: `${group}/${kind}`, body })).status).toBe(201);
    }
    const { output } = await selfTest();
    expect(line(output, 'admission')).toMatch(
      /^PASS {2}admission: A new ServiceAccount team-a\/registry-credential-helper-self-test came back, .* reference to /,
    );
    const names = (await world.cluster.list('serviceaccounts', 'team-a')).map(({ metadata: { name } }) => name);
    expect(names).toEqual(['default']);
  });
});

describe('logins, with --registries', () => {
  test('pass where token service or registry takes the credential, and fail where it would go out in clear', async () => {
    const { code, output } = await selfTest(['--registries']);
    expect(line(output, `registry ${hosts.token}`)).toMatch(/^PASS .*Its token service takes the credential/);
    expect(line(output, `registry ${hosts.basic}`)).toMatch(/^PASS .*It takes the credential/);
    expect(line(output, `registry ${hosts.open}`)).toMatch(/^PASS .*It asks for none/);
    expect(line(output, `registry ${hosts.plain}`)).toMatch(/^FAIL .*without TLS/);
    expect(code).toBe(6);
    expect(output).not.toContain(PASSWORD);
    expect(output).not.toContain(basicOf(PASSWORD).slice(6));
  });

  test('fail, with the reason, for a password that is wrong and a certificate that nobody vouches for', async () => {
    await login('wrong');
    await eventually('the new password is in force', async () => {
      const entry = (await world.cluster.auths('team-a', 'static-credentials'))?.[hosts.basic];
      return entry?.password === 'wrong';
    });
    await settled(world);
    // A refused login is an answer: it is not repeated until an account is locked. What cannot be reached is tried again.
    refusals = 0;
    const { code, output } = await selfTest(['--registries', '--patience=5s']);
    expect(line(output, `registry ${hosts.token}`)).toMatch(/^FAIL .*refuses the credential \(401\)/);
    expect(line(output, `registry ${hosts.basic}`)).toMatch(/^FAIL .*It refuses the credential \(401\)/);
    expect(code).toBe(6);
    expect(refusals).toBe(2);
    const untrusted = await selfTest(['--registries'], { NODE_EXTRA_CA_CERTS: '' });
    expect(line(untrusted.output, `registry ${hosts.basic}`)).toMatch(/^FAIL .*It cannot be reached \([A-Z_]+\)/);
    await login(PASSWORD);
  });
});

describe('an installation with something wrong', () => {
  test('names each right that is missing, and fails only what needs it', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/registry-credential-helper';
    const { rules } = (await world.plane.request({ path })).body as {
      rules: { resources: string[]; verbs: string[] }[];
    };
    const patch = async (body: unknown) => {
      const contentType = 'application/merge-patch+json';
      expect((await world.plane.request({ method: 'PATCH', path, body, contentType })).status).toBe(200);
    };
    const without = { secrets: 'delete', mutatingwebhookconfigurations: 'get' };
    await patch({
      rules: rules.map((rule) => {
        const lost = Object.entries(without).flatMap(([what, verb]) => (rule.resources.includes(what) ? [verb] : []));
        return { ...rule, verbs: rule.verbs.filter((verb) => !lost.includes(verb)) };
      }),
    });
    const { code, output } = await eventually('it is noticed', async () => {
      const found = await selfTest();
      return line(found.output, 'webhooks').startsWith('FAIL') ? found : undefined;
    });
    expect(line(output, 'rights')).toMatch(/^FAIL {2}rights: 3 that are needed are missing/);
    expect(output).toContain('It may not delete secrets in every namespace');
    expect(line(output, 'webhooks')).toMatch(/^FAIL .*It may not be looked at: .*mutatingwebhookconfigurations/);
    // The rest is tried all the same.
    expect(line(output, 'admission')).toMatch(/^PASS/);
    expect(code).toBe(6);
    await patch({ rules });
  });

  test('fails where the token that RRSA would show to the cloud may not be asked for', async () => {
    const account = 'acs:ram::1111222233334444';
    const roles = `  rrsaRoleARN: ${account}:role/reader\n  rrsaOIDCProviderRoleARN: ${account}:oidc-provider/ack-rrsa-example\n`;
    const rrsa = { rrsa: 'enable: true\n', 'acr-registry-info': `${registryInfo(world)}${roles}` };
    await configure({ ...rrsa, 'rrsa-service-account': 'kube-system/aliyun-acr-credential-helper' });
    expect((await selfTest()).output).toContain('PASS  RRSA with kube-system/aliyun-acr-credential-helper: ');
    await configure({ ...rrsa, 'rrsa-service-account': 'platform/reader' });
    const { code, output } = await selfTest();
    expect(output).toContain('FAIL  RRSA with platform/reader: ');
    expect(output).toContain('rrsa.tokenServiceAccount=platform/reader');
    expect(code).toBe(6);
    await configure();
    await settled(world);
  });

  test('fails with what to do, and not as if the cluster were gone, where a webhook that must answer is dead', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    const webhook = {
      ...{ name: 'dead.policy.example', sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Fail' },
      clientConfig: { url: 'https://127.0.0.1:1/never' },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['serviceaccounts'] },
      ],
    };
    const body = { metadata: { name: 'dead-policy' }, webhooks: [webhook] };
    expect((await world.plane.request({ method: 'POST', path, body })).status).toBe(201);
    const { code, output } = await eventually('it is in force', async () => {
      const found = await selfTest();
      return line(found.output, 'admission').startsWith('FAIL') ? found : undefined;
    });
    expect(line(output, 'admission')).toMatch(
      /^FAIL .*the webhook dead\.policy\.example, which has to answer, did not/,
    );
    expect(output).toMatch(/What to do: see whether the Pods behind that webhook are ready .*failurePolicy Ignore/);
    expect(code).toBe(6);
    expect((await world.plane.request({ method: 'DELETE', path: `${path}/dead-policy` })).status).toBe(200);
  });

  test('is refused, and says so with 3, when the configuration is', async () => {
    await configure({ 'watch-namespace': 'Not A Name' });
    const { code, output } = await selfTest();
    expect(line(output, 'configuration')).toMatch(/^FAIL .*is refused/);
    expect(line(output, 'admission')).toMatch(/^SKIP/);
    expect(code).toBe(3);
    await configure();
    await settled(world);
  });

  test('fails where the object is not there although it is wanted, and skips it where it is not', async () => {
    const off = await runCommand(world, 'self-test', ['--patience=0']);
    // Without a way to it nothing makes one; there is one all the same, and it is judged.
    expect(line(off.output, 'webhook MutatingWebhookConfiguration')).toMatch(/^PASS/);
    await replica.process.stop({ signal: 'SIGKILL' });
    const dead = await selfTest();
    expect(line(dead.output, 'webhook MutatingWebhookConfiguration')).toMatch(
      /^FAIL .*127\.0\.0\.1:\d+: it cannot be reached \(ECONNREFUSED\)/,
    );
    expect(line(dead.output, 'admission')).toMatch(/^FAIL .*without the reference to/);
    expect(dead.code).toBe(6);

    expect((await world.plane.request({ method: 'DELETE', path: WEBHOOK_PATH })).status).toBe(200);
    const gone = await selfTest();
    expect(line(gone.output, 'webhook MutatingWebhookConfiguration')).toMatch(/^FAIL .*is not there/);
    const notServed = await runCommand(world, 'self-test', ['--patience=0']);
    expect(line(notServed.output, 'webhook MutatingWebhookConfiguration')).toMatch(/^SKIP/);
  });

  test('is waited for as long as it is told to: after a start the webhook takes a moment', async () => {
    const waiting = selfTest(['--patience=60s']);
    replica = await startServing(world, { port: replica.port });
    const { code, output } = await waiting;
    expect(line(output, 'webhook MutatingWebhookConfiguration')).toMatch(/^PASS/);
    expect(line(output, 'admission')).toMatch(/^PASS/);
    expect(code).toBe(0);
    expect(await webhookObject(world)).toBeDefined();
  });

  test('fails where the caBundle is another than what is served', async () => {
    await replica.stop();
    const other = readFileSync(authority.certFile).toString('base64');
    const body = [{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: other }];
    const { cert, key } = await authority.issue('stranger', ['other.example']);
    const server = createServer({ cert, key });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(replica.port, '127.0.0.1', resolve));
    const untrusted = await selfTest();
    expect(line(untrusted.output, 'webhook MutatingWebhookConfiguration')).toMatch(
      /^FAIL .*the caBundle does not verify the certificate that is served \([A-Z_]+\)/,
    );
    const contentType = 'application/json-patch+json';
    const answer = await world.plane.request({ method: 'PATCH', path: WEBHOOK_PATH, body, contentType });
    expect(answer.status).toBe(200);
    const misnamed = await selfTest();
    expect(line(misnamed.output, 'webhook MutatingWebhookConfiguration')).toMatch(
      /^FAIL .*the certificate that is served is for other names/,
    );
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

test('who cannot reach the cluster is told so with 4', async () => {
  await world.plane.stopApiServer();
  const { code, output } = await selfTest();
  expect(code).toBe(4);
  expect(output).toMatch(/^self-test: /m);
  await world.plane.startApiServer();
});
