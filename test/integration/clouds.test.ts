// Shows that the simulated clouds accept what a real SDK signs, refuse what they must, and misbehave as scripted.

import { createVerify, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccessKey } from '../support/clouds/alibaba-state.ts';
import type { SdkCall } from '../support/clouds/client-calls.ts';
import { callSdk as callWith, sendRaw } from '../support/clouds/client-calls.ts';
import type { Clouds } from '../support/clouds/clouds.ts';
import { SAMPLE, startClouds } from '../support/clouds/clouds.ts';
import { CONTROL_HELP } from '../support/clouds/control.ts';
import type { Fault } from '../support/clouds/faults.ts';
import { buildSignedRequest } from '../support/clouds/signed-request.ts';

const { instanceId } = SAMPLE.instance;
const APIS = ['alibaba', 'tencent'].flatMap((cloud) =>
  [cloud === 'alibaba' ? 'cr' : 'tcr', 'sts', 'metadata'].map((api) => `${cloud}/${api}`),
);
let clouds: Clouds;

beforeEach(async () => {
  clouds = await startClouds();
});
afterEach(() => clouds.stop());

describe('the real SDK', () => {
  test.each(['POST', 'GET'])('is accepted with %s', async (method) => {
    const body = await callSdk({ method });
    expect(body).toMatchObject({ Code: 'success', IsSuccess: true, TempUsername: 'cr_temp_user' });
    expect(clouds.cr.calls()).toMatchObject([
      { action: 'GetAuthorizationToken', instanceId, region: 'cn-hangzhou', code: 'success' },
    ]);
  });

  test('is accepted with an STS key, until that expires', async () => {
    const sts: AccessKey = { ...SAMPLE.accessKey, accessKeyId: 'STS.fake', securityToken: 'fake-token' };
    const expiresAt = Date.now() + 60_000;
    clouds.state.accessKeys.set(sts.accessKeyId, { ...sts, expiresAt });
    expect(await callSdk({ key: sts })).toMatchObject({ ExpireTime: expiresAt });
    clouds.state.accessKeys.set(sts.accessKeyId, { ...sts, expiresAt: Date.now() - 1 });
    await expect(callSdk({ key: sts })).rejects.toMatchObject({ code: 'InvalidSecurityToken.Expired' });
  });

  test('lists the endpoints of an instance', async () => {
    const body = await callSdk({
      action: 'ListInstanceEndpoint',
      query: { InstanceId: instanceId, ModuleName: 'Registry' },
    });
    expect(JSON.stringify(body)).toContain('acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com');
  });

  test('signs odd characters as the verifier reads them', async () => {
    const query = { InstanceId: instanceId, Odd: "a b+c*d'(e)!~é/?&=%" };
    expect(await callSdk({ query })).toMatchObject({ Code: 'success' });
  });

  test.each<[string, Partial<AccessKey>, string, number]>([
    ['a wrong secret', { accessKeySecret: 'wrong' }, 'SignatureDoesNotMatch', 400],
    ['an unknown key', { accessKeyId: 'LTAIunknown' }, 'InvalidAccessKeyId.NotFound', 404],
  ])('is refused with %s', async (_name, change, code, statusCode) => {
    await expect(callSdk({ key: { ...SAMPLE.accessKey, ...change } })).rejects.toMatchObject({
      code,
      data: { statusCode },
    });
  });

  test('is refused with a nonce that it used before', async () => {
    const headers = { 'x-acs-signature-nonce': 'once' };
    await callSdk({ headers });
    await expect(callSdk({ headers })).rejects.toMatchObject({ code: 'SignatureNonceUsed' });
  });

  test('is refused when the clocks differ by more than 15 minutes, and the Date header says by how much', async () => {
    clouds.setClockOffset(16 * 60_000);
    await expect(callSdk()).rejects.toMatchObject({ code: 'InvalidTimeStamp.Expired' });
    const { headers } = await callRaw('cr.cn-hangzhou.aliyuncs.com');
    expect(Date.parse(headers.date ?? '') - Date.now()).toBeGreaterThan(15 * 60_000);
  });
});

describe('the Host header', () => {
  test('decides the region, with a certificate for that name, while the connection goes to loopback', async () => {
    for (const host of ['cr.cn-hangzhou.aliyuncs.com', 'cr-vpc.cn-hangzhou.aliyuncs.com', 'cr.cn-hangzhou.localhost']) {
      expect((await callRaw(host)).body).toMatchObject({ Code: 'success' });
    }
    expect((await callRaw('cr.cn-beijing.aliyuncs.com')).body).toMatchObject({
      Code: 'INSTANCE_NOT_EXIST',
      IsSuccess: false,
    });
    await expect(callRaw('sts.cn-hangzhou.aliyuncs.com')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

describe('a scripted fault', () => {
  test.each<[Fault, object]>([
    [{ kind: 'throttle' }, { code: 'Throttling.User' }],
    [{ kind: 'unavailable' }, { code: 'ServiceUnavailable' }],
    [{ kind: 'xml' }, { code: 'ServiceUnavailable' }],
    [{ kind: 'html' }, { name: 'SyntaxError' }],
    [{ kind: 'truncated' }, { name: 'SyntaxError' }],
    [{ kind: 'empty' }, { name: 'SyntaxError' }],
    [{ kind: 'reset' }, { code: 'ECONNRESET' }],
    [{ kind: 'slow', delayMs: 60_000 }, { name: expect.stringMatching('RequestTimeoutError') }],
  ])('%j reaches the SDK once, then all is well', async (fault, error) => {
    clouds.cr.faults.add({ fault, action: 'GetAuthorizationToken', times: 1 });
    await expect(callSdk()).rejects.toMatchObject(error);
    expect(await callSdk()).toMatchObject({ Code: 'success' });
  });

  test('does not save a call that is signed wrong', async () => {
    clouds.cr.faults.add({ fault: { kind: 'unsuccessful', code: 'X' } });
    const key = { ...SAMPLE.accessKey, accessKeySecret: 'wrong' };
    await expect(callSdk({ key })).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
    expect(await callSdk()).toMatchObject({ Code: 'X', IsSuccess: false });
  });

  test('slow-body arrives whole, in pieces', async () => {
    clouds.cr.faults.add({ fault: { kind: 'slow-body', chunkBytes: 50, chunkDelayMs: 5 }, times: 1 });
    expect(await callSdk()).toMatchObject({ Code: 'success' });
  });
});

test('down refuses connections, kept-alive ones too, and up takes the same port again', async () => {
  const { url } = clouds.cr;
  await callSdk();
  await clouds.cr.down();
  await expect(callSdk()).rejects.toMatchObject({ code: expect.stringMatching('ECONNREFUSED|ECONNRESET') });
  await expect(callSdk()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await clouds.cr.up();
  expect(clouds.cr.url).toBe(url);
  expect(await callSdk()).toMatchObject({ Code: 'success' });
});

describe('the registry’s token endpoint', () => {
  test('takes minted tokens while they live, and signs for no longer than that', async () => {
    clouds.cr.setTokenLife(20_000);
    const { AuthorizationToken: token } = await callSdk();
    const password = String(token);
    const answer = await fetchBearer('cr_temp_user', password);
    expect(answer.status).toBe(200);
    const claims = await verifyBearer(answer.token);
    expect(claims).toMatchObject({
      iss: clouds.endpoints().registryAuth.issuer,
      aud: clouds.endpoints().registryAuth.service,
      access: [{ type: 'repository', name: 'shop/api', actions: ['pull'] }],
    });
    expect(Number(claims.exp) * 1000).toBeLessThanOrEqual(Date.now() + 20_000);

    expect((await fetchBearer('cr_temp_user', `${password}0`)).status).toBe(401);
    expect((await fetchBearer()).status).toBe(401);
    clouds.setClockOffset(21_000);
    expect((await fetchBearer('cr_temp_user', password)).status).toBe(401);
    expect(clouds.registryToken.calls().map(({ status }) => status)).toEqual([200, 401, 401, 401]);
  });

  test('lets a fixed user push, and answers 405 to the OAuth2 POST', async () => {
    const { token } = await fetchBearer(SAMPLE.user.username, SAMPLE.user.password);
    expect(await verifyBearer(token)).toMatchObject({ access: [{ actions: ['pull', 'push'] }] });
    const { realm } = clouds.endpoints().registryAuth;
    expect((await fetch(realm, { method: 'POST', body: 'grant_type=password' })).status).toBe(405);
  });
});

test('the control interface has every call that its help lists', async () => {
  const { control } = clouds.endpoints();
  const lines = [...CONTROL_HELP.matchAll(/^(GET|PUT|POST|DELETE) +(\S+).*?(DELETE)?(?: (?:forgets|clears) .*)?$/gm)];
  const calls = lines.flatMap(([, method = '', path = '', further]) =>
    [method, ...(further === undefined ? [] : [further])].flatMap((one) =>
      APIS.map((api) => [one, path.replace('<api>', api).replace(/<.*>/, 'some%2Fid')] as const),
    ),
  );
  expect(new Set(calls.map(String)).size).toBeGreaterThan(60);
  for (const [method, path] of calls) {
    const body = method === 'GET' ? {} : { body: '{}' };
    expect([method, path, (await fetch(control + path, { method, ...body })).status]).not.toContain(404);
  }
});

test('the control interface drives the clouds from another process', async () => {
  const { control } = clouds.endpoints();
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(control + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  expect((await call('GET', '/endpoints')).body).toEqual(clouds.endpoints());
  await call('PUT', '/alibaba/keys', { ...SAMPLE.accessKey, accessKeyId: 'LTAIsecond' });
  await call('PUT', '/alibaba/instances', { ...SAMPLE.instance, instanceId: 'cri-second' });
  await call('PUT', '/alibaba/cr/token-life', { ms: 20_000 });
  const key = { ...SAMPLE.accessKey, accessKeyId: 'LTAIsecond' };
  const { ExpireTime } = await callSdk({ key, query: { InstanceId: 'cri-second' } });
  expect(Number(ExpireTime)).toBeLessThanOrEqual(Date.now() + 20_000);

  await call('POST', '/alibaba/cr/faults', { fault: { kind: 'unavailable' }, instanceId: 'cri-second', times: 1 });
  await expect(callSdk({ query: { InstanceId: 'cri-second' } })).rejects.toMatchObject({ code: 'ServiceUnavailable' });
  expect((await call('GET', '/alibaba/cr/calls')).body).toMatchObject([
    { code: 'success' },
    { code: 'ServiceUnavailable' },
  ]);

  await call('DELETE', '/alibaba/keys/LTAIsecond');
  await expect(callSdk({ key })).rejects.toMatchObject({ code: 'InvalidAccessKeyId.NotFound' });
  await call('POST', '/alibaba/cr/down');
  expect(clouds.cr.isUp()).toBe(false);
  await call('POST', '/alibaba/cr/up');
  expect(clouds.cr.isUp()).toBe(true);

  expect(await call('POST', '/alibaba/cr/faults', { fault: { kind: 'sloww' } })).toMatchObject({ status: 400 });
  expect(await call('PUT', '/alibaba/keys', {})).toMatchObject({ status: 400 });
  expect(await call('GET', '/nothing')).toMatchObject({ status: 404 });
});

function callSdk(call: Partial<SdkCall> = {}): Promise<Record<string, unknown>> {
  return callWith({
    ...{ endpoint: clouds.endpoints().alibaba.cr, key: SAMPLE.accessKey, action: 'GetAuthorizationToken' },
    ...{ version: '2018-12-01', query: { InstanceId: instanceId }, ...call },
  });
}

/** Calls as the program under test does: it connects to loopback, but signs, sends and verifies the region's own host. */
async function callRaw(host: string): Promise<{ headers: { date?: string | undefined }; body: unknown }> {
  const request = buildSignedRequest({
    ...{ key: SAMPLE.accessKey, host, action: 'GetAuthorizationToken', version: '2018-12-01', now: clouds.now() },
    ...{ method: 'GET', query: `InstanceId=${instanceId}` },
  });
  const { headers, text } = await sendRaw(clouds.endpoints().alibaba.cr, request);
  return { headers, body: JSON.parse(text) as unknown };
}

async function fetchBearer(username?: string, password = ''): Promise<{ status: number; token: string }> {
  const { realm, service } = clouds.endpoints().registryAuth;
  const query = new URLSearchParams({ service, scope: 'repository:shop/api:pull,push' });
  const headers: Record<string, string> = {};
  if (username !== undefined) headers.authorization = `Basic ${btoa(`${username}:${password}`)}`;
  const answer = await fetch(`${realm}?${query.toString()}`, { headers });
  const body = (await answer.json()) as { token?: string };
  return { status: answer.status, token: body.token ?? '' };
}

async function verifyBearer(token: string): Promise<Record<string, unknown>> {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const root = new X509Certificate(await readFile(clouds.endpoints().registryAuth.rootCertBundle));
  const { x5c } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { x5c: string[] };
  expect(x5c).toEqual([root.raw.toString('base64')]);
  const key = { key: root.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const isValid = createVerify('sha256').update(`${header}.${claims}`).verify(key, signature, 'base64url');
  expect(isValid).toBe(true);
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
}
