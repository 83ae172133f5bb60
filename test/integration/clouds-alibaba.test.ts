// Shows that each way to authenticate at the simulated Alibaba Cloud works from the real SDK, a real API server and a real
// registry, and that STS, metadata and the Personal API misbehave as scripted.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccessKey } from '../support/clouds/alibaba-state.ts';
import { buildRegistryService } from '../support/clouds/alibaba-state.ts';
import {
  assumeRole,
  assumeRoleWithOidc,
  buildOidcForm,
  fetchToken,
  readInstanceRole,
} from '../support/clouds/alibaba-client.ts';
import { callSdk, sendRaw } from '../support/clouds/client-calls.ts';
import type { Clouds } from '../support/clouds/clouds.ts';
import { SAMPLE, startClouds } from '../support/clouds/clouds.ts';
import type { Fault } from '../support/clouds/faults.ts';
import { buildSignedRequest } from '../support/clouds/signed-request.ts';
import { createJwtSigner } from '../support/clouds/sign-jwt.ts';
import type { ControlPlane } from '../support/control-plane/control-plane.ts';
import { startControlPlane } from '../support/control-plane/control-plane.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry } from '../support/control-plane/registry.ts';

const START_MS = 120_000;
const { roleA, roleB, workerRole, otherInstance, oidcProvider } = SAMPLE;
const SUBJECT = roleA.trust[0].subjects[0];
let clouds: Clouds;

beforeEach(async () => {
  clouds = await startClouds({ instances: [SAMPLE.instance, otherInstance] });
});
afterEach(() => clouds.stop());

describe('a chain of roles', () => {
  test('leads from the instance’s role into the other account, and stays out of it without', async () => {
    const worker = await readInstanceRole(clouds);
    await expect(fetchToken(clouds, worker)).rejects.toThrow('INSTANCE_NOT_EXIST');
    const session = await assumeRole(clouds, worker);
    expect(await fetchToken(clouds, session)).toMatchObject({ Code: 'success', TempUsername: 'cr_temp_user' });
    expect(clouds.sts.calls({ code: 'success' })).toMatchObject([
      { action: 'AssumeRole', roleArn: roleB.arn, accessKeyId: worker.accessKeyId },
    ]);
  });

  test('ends where a role does not trust the caller, or for longer than it allows', async () => {
    await expect(assumeRole(clouds, SAMPLE.accessKey)).rejects.toMatchObject({ code: 'NoPermission' });
    const worker = await readInstanceRole(clouds);
    await expect(assumeRole(clouds, worker, { DurationSeconds: '7200' })).rejects.toMatchObject({
      code: 'InvalidParameter.DurationSeconds',
    });
    clouds.state.roles.set(workerRole.arn, { ...workerRole, denied: { AssumeRole: 'NoPermission' } });
    await expect(assumeRole(clouds, worker)).rejects.toMatchObject({ code: 'NoPermission' });
  });

  test('ends with the session: its key is refused, and no registry token outlives it', async () => {
    clouds.state.sessionLifeCapMs = 20_000;
    const session = await assumeRole(clouds, await readInstanceRole(clouds));
    expect(Number((await fetchToken(clouds, session)).ExpireTime)).toBeLessThanOrEqual(Date.now() + 20_000);
    clouds.setClockOffset(21_000);
    await expect(fetchToken(clouds, session)).rejects.toMatchObject({ code: 'InvalidSecurityToken.Expired' });
  });
});

test(
  'a token that a real API server signed for a ServiceAccount becomes a session, and one for others does not',
  async () => {
    const plane = await startControlPlane();
    try {
      const { body: keys } = await plane.request({ path: '/openid/v1/jwks' });
      clouds.state.oidcProviders.set(oidcProvider.arn, { ...oidcProvider, ...(keys as { keys: [] }) });
      const [, , namespace = '', name = ''] = SUBJECT.split(':');
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await plane.request({ method: 'POST', path, body: { metadata: { name } } });
      await plane.request({ method: 'POST', path, body: { metadata: { name: 'stranger' } } });

      const session = await assumeRoleWithOidc(clouds, await requestToken(plane, `${path}/${name}`));
      expect(await fetchToken(clouds, await assumeRole(clouds, session))).toMatchObject({ Code: 'success' });
      expect(JSON.stringify(clouds.sts.calls())).not.toContain('eyJ');

      const refused = async (token: string) => assumeRoleWithOidc(clouds, token).catch((error: unknown) => error);
      expect(await refused(await requestToken(plane, `${path}/stranger`))).toMatchObject({
        code: 'AuthenticationFail.NoPermission',
        data: { statusCode: 401 },
      });
      expect(await refused(await requestToken(plane, `${path}/${name}`, 'https://other.example'))).toMatchObject({
        code: 'AuthenticationFail.OIDCToken.AudienceNotMatch',
      });
      const other = { iss: oidcProvider.issuer, sub: SUBJECT, aud: 'sts.aliyuncs.com', exp: Date.now() / 1000 + 60 };
      expect(await refused(createJwtSigner('RS256').sign(other))).toMatchObject({
        code: 'AuthenticationFail.OIDCToken.InvalidSignature',
      });
      const token = await requestToken(plane, `${path}/${name}`);
      clouds.setClockOffset(3_601_000);
      const late = {
        query: new URLSearchParams(unsignedQuery()).toString(),
        body: Buffer.from(new URLSearchParams(buildOidcForm(token)).toString()),
      };
      const { text } = await sendRaw(clouds.endpoints().alibaba.sts, {
        ...{ method: 'POST', path: '/', ...late },
        headers: { host: 'sts.aliyuncs.com', 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(JSON.parse(text)).toMatchObject({ Code: 'AuthenticationFail.OIDCToken.Expired' });
    } finally {
      await plane.stop();
    }
  },
  START_MS,
);

describe('the Personal Edition', () => {
  const fetchPersonal = (key: AccessKey = SAMPLE.accessKey) =>
    callSdk({
      ...{ endpoint: clouds.endpoints().alibaba.cr, key, action: 'GetAuthorizationToken', version: '2016-06-07' },
      ...{ method: 'GET', path: '/tokens' },
    });

  test(
    'gives a token that pulls from the registry of its region, and not from an instance',
    async () => {
      const auth = clouds.endpoints().registryAuth;
      const service = buildRegistryService({ regionId: 'cn-hangzhou' });
      const registries = await Promise.all([{ ...auth, service }, auth].map((one) => startRegistry({ auth: one })));
      try {
        const { data } = (await fetchPersonal()) as { data: { tempUserName: string; authorizationToken: string } };
        const login = { username: data.tempUserName, password: data.authorizationToken };
        const pulls = [];
        for (const { url } of registries) {
          const image = { registryUrl: url, repository: 'team/app', tag: 'v1' };
          await pushImage({ ...image, login: { username: SAMPLE.user.username, password: SAMPLE.user.password } });
          pulls.push(await pullImage({ ...image, login }));
        }
        expect(pulls).toMatchObject([{ ok: true }, { ok: false, status: 401, reason: 'TokenRefused' }]);
      } finally {
        for (const registry of registries) await registry.stop();
      }
    },
    START_MS,
  );

  test('says in lower case who has no user, and that it is throttled', async () => {
    const key = { ...SAMPLE.accessKey, accessKeyId: 'LTAInouser', hasRegistryUser: false };
    clouds.state.accessKeys.set(key.accessKeyId, key);
    await expect(fetchPersonal(key)).rejects.toMatchObject({ code: 'USER_NOT_EXIST', data: { statusCode: 404 } });
    clouds.cr.faults.add({ fault: { kind: 'throttle', status: 429 }, times: 1 });
    await expect(fetchPersonal()).rejects.toMatchObject({
      data: { statusCode: 429, code: 'Throttling.User', requestId: expect.any(String) },
    });
    expect(await fetchPersonal()).toMatchObject({ data: { tempUserName: 'cr_temp_user' } });
  });
});

describe('STS', () => {
  test.each<[Fault, object]>([
    [{ kind: 'throttle' }, { code: 'Throttling.User' }],
    [{ kind: 'unavailable' }, { code: 'ServiceUnavailable' }],
    [{ kind: 'xml' }, { code: 'ServiceUnavailable' }],
    [{ kind: 'html' }, { name: 'SyntaxError' }],
    [{ kind: 'truncated' }, { name: 'SyntaxError' }],
    [{ kind: 'reset' }, { code: 'ECONNRESET' }],
    [{ kind: 'slow', delayMs: 60_000 }, { name: expect.stringMatching('RequestTimeoutError') }],
  ])('misbehaves once as scripted, for the role that the script names: %j', async (fault, error) => {
    const worker = await readInstanceRole(clouds);
    clouds.sts.faults.add({ fault, roleArn: roleA.arn, times: 1 });
    clouds.sts.faults.add({ fault, roleArn: roleB.arn, times: 1 });
    await expect(assumeRole(clouds, worker)).rejects.toMatchObject(error);
    expect((await assumeRole(clouds, worker)).roleArn).toBe(roleB.arn);
    expect(clouds.sts.faults.list()).toHaveLength(1);
  });

  test('answers by every name of its own, with a certificate for it, with Date and what throttling says', async () => {
    const worker = await readInstanceRole(clouds);
    clouds.setClockOffset(60_000);
    clouds.sts.faults.add({ fault: { kind: 'throttle', retryAfter: 1500 }, times: 1 });
    const ask = (host: string) => {
      const query = new URLSearchParams({ RoleArn: roleB.arn, RoleSessionName: 'sess' }).toString();
      const version = '2015-04-01';
      const request = { key: worker, host, action: 'AssumeRole', version, now: clouds.now(), query };
      return sendRaw(clouds.endpoints().alibaba.sts, buildSignedRequest(request));
    };
    const throttled = await ask('sts.aliyuncs.com');
    expect(throttled).toMatchObject({ status: 400, headers: { 'x-acs-retry-after': '1500' } });
    expect(Date.parse(throttled.headers.date ?? '') - Date.now()).toBeGreaterThan(50_000);
    for (const host of ['sts.cn-hangzhou.aliyuncs.com', 'sts-vpc.cn-beijing.aliyuncs.com']) {
      expect((await ask(host)).status).toBe(200);
    }
    expect(clouds.sts.calls().map(({ region }) => region)).toEqual(['global', 'cn-hangzhou', 'cn-beijing']);
    await expect(ask('sts.ap-south-1.aliyuncs.com')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
});

describe('the metadata service', () => {
  test('is plain HTTP, takes its modes while it runs, and is absent when it is down', async () => {
    const { url } = clouds.endpoints().alibaba.metadata;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    clouds.metadata.change({ mode: 'hardened' });
    expect((await fetch(`${url}/latest/meta-data/region-id`)).status).toBe(403);
    expect((await readInstanceRole(clouds)).accessKeyId).toMatch(/^STS\./);
    clouds.metadata.change({ mode: 'no-role' });
    await expect(readInstanceRole(clouds)).rejects.toThrow('404');
    expect(clouds.metadata.calls({ token: true })).toHaveLength(3);
    await clouds.metadata.down();
    await expect(readInstanceRole(clouds)).rejects.toThrow('fetch failed');
  });

  test('misbehaves as scripted, where the script says', async () => {
    const path = '/latest/meta-data/ram/security-credentials/';
    clouds.metadata.faults.add({ fault: { kind: 'throttle' }, path, times: 1 });
    clouds.metadata.faults.add({ fault: { kind: 'unavailable' }, path, times: 1 });
    await expect(readInstanceRole(clouds)).rejects.toThrow('429');
    await expect(readInstanceRole(clouds)).rejects.toThrow('503');
    const first = await readInstanceRole(clouds);
    clouds.metadata.renewSession();
    expect((await readInstanceRole(clouds)).accessKeyId).not.toBe(first.accessKeyId);
    expect(await fetchToken(clouds, first, SAMPLE.instance.instanceId)).toMatchObject({ Code: 'success' });
  });
});

test('every registry challenges with its own service at the door that its name leads to', async () => {
  clouds.state.instances.set('cri-custom', {
    ...{ ...SAMPLE.instance, instanceId: 'cri-custom', instanceName: 'custom', userDomains: ['images.acme.example'] },
  });
  const knock = (host: string) =>
    sendRaw(clouds.endpoints().registryChallenge, {
      ...{ method: 'GET', path: '/v2/', query: '', headers: { host }, body: new Uint8Array() },
    });
  const { realm } = clouds.endpoints().registryAuth;
  for (const [host, service] of [
    ['acme-registry.cn-hangzhou.cr.aliyuncs.com', `registry.aliyuncs.com:cn-hangzhou:china:cri-sample0000000001`],
    ['registry-vpc.cn-beijing.aliyuncs.com', 'registry.aliyuncs.com:cn-beijing:26842'],
    ['images.acme.example', 'registry.aliyuncs.com:cn-hangzhou:china:cri-custom'],
  ] as const) {
    expect(await knock(host)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${realm}",service="${service}"` },
    });
  }
  await expect(knock('images.unknown.example')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('the control interface scripts identities from another process', async () => {
  const call = async (method: string, path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(clouds.endpoints().control + path, { method, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return answer.json();
  };
  await call('PUT', '/alibaba/sts/session-life', { ms: 30_000 });
  const worker = await readInstanceRole(clouds);
  expect(clouds.state.accessKeys.get(worker.accessKeyId)?.expiresAt).toBeLessThanOrEqual(Date.now() + 30_000);
  await call('PUT', '/alibaba/roles', { ...roleB, trust: [] });
  await expect(assumeRole(clouds, worker)).rejects.toMatchObject({ code: 'NoPermission' });
  await call('DELETE', `/alibaba/roles/${encodeURIComponent(roleB.arn)}`, {});
  await expect(assumeRole(clouds, worker)).rejects.toMatchObject({ code: 'EntityNotExist.Role' });
  await call('PUT', '/alibaba/metadata', { mode: 'limited' });
  await expect(readInstanceRole(clouds)).rejects.toThrow('429');
  const secret = await call('POST', '/alibaba/managed-role-token', { roleArn: SAMPLE.managedRole.arn, seconds: 60 });
  expect(secret).toMatchObject({ metadata: { name: 'addon.aliyuncsmanagedacrrole.token' } });
  expect([...clouds.state.accessKeys.values()].at(-1)).toMatchObject({ roleArn: SAMPLE.managedRole.arn });
});

function unsignedQuery(): Record<string, string> {
  const Timestamp = `${new Date(clouds.now()).toISOString().slice(0, 19)}Z`;
  return {
    ...{ Action: 'AssumeRoleWithOIDC', Version: '2015-04-01', Format: 'JSON', Timestamp, SignatureNonce: 'once' },
  };
}

async function requestToken(plane: ControlPlane, account: string, audience = 'sts.aliyuncs.com'): Promise<string> {
  const { status, body } = await plane.request({
    ...{ method: 'POST', path: `${account}/token` },
    body: { spec: { audiences: [audience], expirationSeconds: 3600 } },
  });
  expect(status).toBe(201);
  return (body as { status: { token: string } }).status.token;
}
