// Shows that the simulated Tencent Cloud serves what is signed right by every name of its own, misbehaves as scripted, is driven
// from another process, and that a real registry lets in whom it let in.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Clouds } from '../support/clouds/clouds.ts';
import { startClouds, TENCENT_SAMPLE } from '../support/clouds/clouds.ts';
import type { Fault } from '../support/clouds/faults.ts';
import { createJwtSigner } from '../support/clouds/sign-jwt.ts';
import { buildTencentRequest, callTencent, readSession, sendTencent } from '../support/clouds/tencent-client.ts';
import type { SigningTencentKey, TencentRequest } from '../support/clouds/tencent-client.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry } from '../support/control-plane/registry.ts';

const { key, instance, otherInstance, otherRole, webRole, cvmRole, oidcProvider } = TENCENT_SAMPLE;
const RegistryId = instance.registryId;
const ROBOT = { RegistryId, Name: 'cls-sample01', Duration: 1 };
const START_MS = 120_000;
let clouds: Clouds;

beforeEach(async () => {
  clouds = await startClouds({ tencent: { instances: [instance, otherInstance] } });
});
afterEach(() => clouds.stop());

describe('the APIs', () => {
  test('answer by every name of theirs, with a certificate for it, over TLS', async () => {
    for (const host of [
      ...['tcr.tencentcloudapi.com', 'tcr.intl.tencentcloudapi.com'],
      ...['127.0.0.1', new URL(clouds.tencent.tcr.url).host],
    ]) {
      expect(await mint({ host })).toMatchObject({ Username: key.uin });
    }
    // A finance zone has its own host, and that host no other region.
    await expect(mint({ host: 'tcr.ap-shanghai-fsi.tencentcloudapi.com' })).rejects.toThrow('UnsupportedRegion');
    expect(await mint({ host: new URL(clouds.tencent.tcr.url).host, signedHost: '127.0.0.1' })).toBeDefined();
    await expect(mint({ host: 'cr.cn-hangzhou.aliyuncs.com' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(clouds.endpoints().tencent).toMatchObject({
      tcr: { url: clouds.tencent.tcr.url, host: 'tcr.tencentcloudapi.com', caFile: expect.any(String) },
      sts: { url: clouds.tencent.sts.url, host: 'sts.tencentcloudapi.com', caFile: expect.any(String) },
      metadata: { url: expect.stringMatching(/^http:/) },
    });
  });

  test('refuse a clock that is off, and the Date header says by how much', async () => {
    clouds.setClockOffset(301_000);
    const { headers, status, text } = await send({});
    expect([status, text]).toEqual([200, expect.stringContaining('AuthFailure.SignatureExpire')]);
    expect(Date.parse(headers.date ?? '') - Date.now()).toBeGreaterThan(295_000);
  });

  test('compress what may be, and always where that is set', async () => {
    const encodingOf = async (headers: Record<string, string>) => (await send({ headers })).headers['content-encoding'];
    expect(await encodingOf({ 'accept-encoding': 'gzip,deflate' })).toBe('gzip');
    expect(await encodingOf({})).toBeUndefined();
    clouds.tencent.state.variants = { ...clouds.tencent.state.variants, gzip: 'always' };
    expect(await encodingOf({})).toBe('gzip');
    expect(await mint()).toMatchObject({ Username: key.uin });
  });
});

describe('each way to a key', () => {
  test('AssumeRole, AssumeRoleWithWebIdentity and the instance’s role, into the other account and until its end', async () => {
    const signer = createJwtSigner('RS256');
    clouds.tencent.state.oidcProviders.set(oidcProvider.providerId, { ...oidcProvider, keys: [signer.jwk] });
    clouds.tencent.state.sessionLifeCapMs = 20_000;
    const claims = { iss: oidcProvider.issuer, aud: 'sts.cloud.tencent.com', exp: Math.floor(Date.now() / 1000) + 60 };
    const body = {
      ...{ ProviderId: oidcProvider.providerId, RoleArn: webRole.arn, RoleSessionName: 'web' },
      WebIdentityToken: signer.sign({ ...claims, sub: webRole.trust[0].subjects[0] }),
    };
    const web = readSession(await callSts({ action: 'AssumeRoleWithWebIdentity', body }));
    const cvm = await readInstanceRole();
    for (const one of [key, web, cvm]) {
      expect(await mint({ key: one })).toMatchObject({ TokenId: '' });
      const chained = await callSts({
        ...{ action: 'AssumeRole', key: one, body: { RoleArn: otherRole.arn, RoleSessionName: 'chain' } },
      });
      const other = { key: readSession(chained), region: otherInstance.regionName };
      expect(await mint({ ...other, body: { RegistryId: otherInstance.registryId } })).toMatchObject({
        Username: otherRole.roleId,
      });
    }
    expect(clouds.tencent.sts.calls({ code: 'success', roleArn: otherRole.arn })).toHaveLength(3);
    expect(JSON.stringify(clouds.tencent.sts.calls())).not.toContain('eyJ');
    clouds.setClockOffset(21_000);
    await expect(mint({ key: cvm })).rejects.toThrow('AuthFailure.TokenFailure');
  });

  test('is absent where the instance has no role, and where nobody answers', async () => {
    clouds.tencent.metadata.change({ mode: 'no-role' });
    await expect(readInstanceRole()).rejects.toThrow('404');
    await clouds.tencent.metadata.down();
    await expect(readInstanceRole()).rejects.toThrow('fetch failed');
  });
});

describe('a scripted fault', () => {
  test.each<[Fault, object]>([
    [{ kind: 'throttle' }, { message: 'RequestLimitExceeded' }],
    [{ kind: 'error', status: 200, code: 'InternalError.DbError' }, { message: 'InternalError.DbError' }],
    [{ kind: 'unavailable' }, { message: 'ServiceUnavailable' }],
    [{ kind: 'html' }, { name: 'SyntaxError' }],
    [{ kind: 'body', body: '{}' }, { name: 'TypeError' }],
    [{ kind: 'body', body: '', status: 502 }, { name: 'SyntaxError' }],
  ])('%j comes in the place of what was asked for', async (fault, error) => {
    clouds.tencent.tcr.faults.add({ fault, action: 'CreateInstanceToken', instanceId: RegistryId, times: 1 });
    await expect(mintLongTerm()).rejects.toMatchObject(error);
    expect(clouds.tencent.state.tokens.size).toBe(0);
    await mintLongTerm();
    expect(clouds.tencent.state.tokens.size).toBe(1);
  });

  test.each<[Fault, object]>([
    [{ kind: 'reset' }, { code: 'ECONNRESET' }],
    [{ kind: 'cut' }, { code: 'ECONNRESET' }],
    [{ kind: 'truncated' }, { name: 'SyntaxError' }],
    [{ kind: 'empty' }, { name: 'SyntaxError' }],
    [{ kind: 'unavailable', acts: true }, { message: 'ServiceUnavailable' }],
  ])('%j loses the answer to what was done: the token is there and nobody has it', async (fault, error) => {
    clouds.tencent.tcr.faults.add({ fault, times: 1 });
    await expect(mintLongTerm()).rejects.toMatchObject(error);
    expect([...clouds.tencent.state.tokens.values()]).toMatchObject([{ description: 'cluster cls-sample01' }]);
    expect(await callTcr({ action: 'DescribeInstanceToken' })).toMatchObject({ TotalCount: 1 });
  });

  test('slow answers come late and whole', async () => {
    const asked = Date.now();
    clouds.tencent.tcr.faults.add({ fault: { kind: 'slow', delayMs: 200 }, times: 1 });
    clouds.tencent.tcr.faults.add({ fault: { kind: 'slow-body', chunkBytes: 100, chunkDelayMs: 5 }, times: 1 });
    expect([await mint(), await mint()]).toMatchObject([{ Username: key.uin }, { Username: key.uin }]);
    expect(Date.now() - asked).toBeGreaterThanOrEqual(200);
  });

  test('does not save a call that is signed wrong', async () => {
    clouds.tencent.tcr.faults.add({ fault: { kind: 'throttle' } });
    await expect(mint({ key: { ...key, secretKey: 'wrong' } })).rejects.toThrow('AuthFailure.SignatureFailure');
    expect(clouds.tencent.tcr.calls().map(({ code }) => code)).toEqual(['AuthFailure.SignatureFailure']);
  });

  test('hits STS by role and the metadata service by path', async () => {
    clouds.tencent.sts.faults.add({ fault: { kind: 'throttle' }, roleArn: otherRole.arn, times: 1 });
    const asked = { action: 'AssumeRole', key, body: { RoleArn: otherRole.arn, RoleSessionName: 'sess' } };
    await expect(callSts(asked)).rejects.toThrow('RequestLimitExceeded');
    expect(await callSts(asked)).toMatchObject({ ExpiredTime: expect.any(Number) });
    const path = '/latest/meta-data/cam/security-credentials/';
    clouds.tencent.metadata.faults.add({ fault: { kind: 'unavailable' }, path, times: 1 });
    await expect(readInstanceRole()).rejects.toThrow('503');
    expect(await readInstanceRole()).toMatchObject({ token: expect.any(String) });
  });
});

describe('a real registry', () => {
  const image = { repository: 'team/app', tag: 'v1' };
  const HOST = `${instance.registryName}.tencentcloudcr.com`;

  test(
    'of an instance is pulled from with a token until its end, and with a robot, and not with anything else',
    async () => {
      const registry = await startRegistry({ auth: clouds.tencent.registryAuth(HOST) });
      try {
        const pull = async (username: unknown, password: unknown) => {
          const login = { username: String(username), password: String(password) };
          const pulled = await pullImage({ ...image, registryUrl: registry.url, login });
          return pulled.ok ? 'pulled' : pulled.reason;
        };
        clouds.tencent.state.tokenLifeMs = 20_000;
        const { Username, Token } = await mint();
        const login = { username: String(Username), password: String(Token) };
        expect(await pushImage({ ...image, registryUrl: registry.url, login })).toMatchObject({ ok: true });
        expect(await pull(Username, Token)).toBe('pulled');
        expect(await pull(Username, `${String(Token).slice(0, -6)}AAAAAA`)).toBe('TokenRefused');
        expect(await pull('100000000001', Token)).toBe('TokenRefused');

        const robot = await callTcr({
          ...{ action: 'CreateServiceAccount' },
          body: {
            ...ROBOT,
            Permissions: [{ Resource: 'team', Actions: ['tcr:PullRepository', 'tcr:DescribeHelmCharts'] }],
          },
        });
        const blind = await callTcr({
          ...{ action: 'CreateServiceAccount' },
          body: { ...ROBOT, Name: 'blind', Permissions: [{ Resource: 'other', Actions: ['tcr:PullRepository'] }] },
        });
        expect(await pull(robot.Name, robot.Password)).toBe('pulled');
        expect(await pull(robot.Name, blind.Password)).toBe('TokenRefused');
        expect(await pull(blind.Name, blind.Password)).toBe('Unauthorized');
        const byRobot = { username: String(robot.Name), password: String(robot.Password) };
        expect(await pushImage({ ...image, registryUrl: registry.url, login: byRobot })).toMatchObject({ ok: false });

        clouds.setClockOffset(21_000);
        expect(await pull(Username, Token)).toBe('TokenRefused');
        expect(await pull(robot.Name, robot.Password)).toBe('pulled');
        expect(clouds.tencent.registryToken.calls().map(({ registry: host }) => host)).toContain(HOST);
      } finally {
        await registry.stop();
      }
    },
    START_MS,
  );

  test(
    'of the Personal Edition is pulled from with the fixed password of an account',
    async () => {
      const registry = await startRegistry({ auth: clouds.tencent.registryAuth('ccr.ccs.tencentyun.com') });
      try {
        const access = { ...image, registryUrl: registry.url };
        const login = { username: key.ownerUin, password: TENCENT_SAMPLE.personalPasswords[key.ownerUin] };
        expect(await pushImage({ ...access, login })).toMatchObject({ ok: true });
        expect(await pullImage({ ...access, login })).toMatchObject({ ok: true });
        const { Token } = await mint();
        for (const password of ['Sample-Password2', String(Token)]) {
          expect(await pullImage({ ...access, login: { ...login, password } })).toMatchObject({
            reason: 'TokenRefused',
          });
        }
      } finally {
        await registry.stop();
      }
    },
    START_MS,
  );

  test('is behind the door that its name leads to: the challenge of its edition, and the endpoint that this names', async () => {
    const ask = (host: string, path: string, headers: Record<string, string> = {}) => {
      const [page = '', query = ''] = path.split('?');
      const request = { method: 'GET', path: page, query, headers: { host, ...headers }, body: new Uint8Array() };
      return sendTencent(clouds.endpoints().tencentRegistryChallenge, request);
    };
    for (const [host, service, login] of [
      [HOST, 'harbor-registry', `${key.uin}:${String((await mint()).Token)}`],
      [
        `${instance.registryName}-vpc.tencentcloudcr.com`,
        'harbor-registry',
        `${key.uin}:${String((await mint()).Token)}`,
      ],
      ['ccr.ccs.tencentyun.com', 'token-service', `${key.ownerUin}:${TENCENT_SAMPLE.personalPasswords[key.ownerUin]}`],
    ] as const) {
      expect(await ask(host, '/v2/')).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="https://${host}/service/token",service="${service}"` },
      });
      const path = `/service/token?service=${service}`;
      expect((await ask(host, path, { authorization: `Basic ${btoa(login)}` })).status).toBe(200);
      expect((await ask(host, path, { authorization: `Basic ${btoa(`${login}x`)}` })).status).toBe(401);
      expect((await ask(host, '/other')).status).toBe(404);
    }
    for (const host of ['quay.tencentcloudcr.com', 'nvcr.tencentcloudcr.com', 'helmhub.tencentcloudcr.com']) {
      await expect(ask(host, '/v2/')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    }
    expect(Object.keys(clouds.endpoints().tencentRegistryAuth)).toContain(HOST);
  });
});

test('the control interface drives the cloud from another process', async () => {
  const call = async (method: string, path: string, body?: unknown) => {
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(`${clouds.endpoints().control}/tencent${path}`, init);
    return { status: answer.status, body: await answer.json() };
  };
  const second = { ...key, secretId: 'IKIDsecond' };
  await call('PUT', '/keys', second);
  await call('PUT', '/instances', { ...instance, registryId: 'tcr-second01', registryName: 'second-sample' });
  await call('PUT', '/tcr/token-life', { ms: 20_000 });
  await call('PUT', '/variants', { instants: 'seconds-text' });
  const { ExpTime } = await mint({ key: second, body: { RegistryId: 'tcr-second01' } });
  expect(ExpTime).toMatch(/^\d{10}$/);
  expect(Number(ExpTime)).toBeLessThanOrEqual(Date.now() / 1000 + 20);

  await call('POST', '/tcr/faults', { fault: { kind: 'throttle' }, instanceId: 'tcr-second01', times: 1 });
  await expect(mint({ body: { RegistryId: 'tcr-second01' } })).rejects.toThrow('RequestLimitExceeded');
  expect((await call('GET', '/tcr/calls')).body).toMatchObject([{ code: 'success' }, { code: 'RequestLimitExceeded' }]);
  await call('PUT', '/users', { ...TENCENT_SAMPLE.user, policy: [] });
  await expect(mint()).rejects.toThrow('UnauthorizedOperation');
  await call('DELETE', '/keys/IKIDsecond');
  await expect(mint({ key: second })).rejects.toThrow('AuthFailure.SecretIdNotFound');
  await call('PUT', '/metadata', { mode: 'no-role' });
  await expect(readInstanceRole()).rejects.toThrow('404');
  await call('DELETE', `/roles/${encodeURIComponent(cvmRole.arn)}`);
  expect(clouds.tencent.state.roles.has(cvmRole.arn)).toBe(false);

  for (const [path, document] of [
    ['/variants', { instants: 'minutes' }],
    ['/variants', { other: true }],
    ['/metadata', { mode: 'hardened' }],
    ['/keys', {}],
  ] as const) {
    expect(await call('PUT', path, document)).toMatchObject({ status: 400 });
  }
});

function mint(change: Partial<TencentRequest> = {}): Promise<Readonly<Record<string, unknown>>> {
  return callTcr({ action: 'CreateInstanceToken', ...change });
}

function mintLongTerm(): Promise<Readonly<Record<string, unknown>>> {
  return mint({ body: { RegistryId, TokenType: 'longterm', Desc: 'cluster cls-sample01' } });
}

function callTcr(request: Partial<TencentRequest> & { readonly action: string }) {
  return callTencent(clouds.endpoints().tencent.tcr, { service: 'tcr', key, body: { RegistryId }, ...request });
}

function callSts(request: Partial<TencentRequest> & { readonly action: string }) {
  return callTencent(clouds.endpoints().tencent.sts, { service: 'sts', ...request });
}

function send(change: Partial<TencentRequest>) {
  const request = {
    service: 'tcr' as const,
    action: 'CreateInstanceToken',
    key,
    body: { RegistryId },
    now: Date.now(),
  };
  return sendTencent(clouds.endpoints().tencent.tcr, buildTencentRequest({ ...request, ...change }));
}

async function readInstanceRole(): Promise<SigningTencentKey> {
  const { url } = clouds.endpoints().tencent.metadata;
  const read = async (name: string): Promise<string> => {
    const answer = await fetch(`${url}/latest/meta-data/cam/security-credentials/${name}`);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  };
  return readSession({ Credentials: JSON.parse(await read(await read(''))) as unknown });
}
