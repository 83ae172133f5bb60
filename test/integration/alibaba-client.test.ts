// The client of Alibaba Cloud on the wire: signatures as the contract has them, another address when one cannot be reached, and
// one pause for all of an account when the cloud asks for it.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRequestBudget } from '../../src/providers/budget.ts';
import { createAlibabaClient } from '../../src/providers/alibaba/client.ts';
import type { CloudRequest } from '../../src/providers/alibaba/cloud-request.ts';
import type { ResolvedEndpoint } from '../../src/providers/resolved-endpoint.ts';
import { freePort } from '../support/control-plane/ports.ts';

const { signal } = new AbortController();
const NOW = Date.parse('2026-01-02T03:04:05Z');
let server: Server;
let port: number;
let requests: {
  readonly method?: string;
  readonly url?: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}[];
let answers: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }[];

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      requests.push({
        ...(method && { method }),
        ...(url && { url }),
        headers,
        body: Buffer.concat(chunks).toString(),
      });
      const { status, headers: more, body } = answers.shift() ?? { status: 200, body: '{"IsSuccess":true}' };
      response.writeHead(status, more).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());
beforeEach(() => {
  requests = [];
  answers = [];
});

const here = (host: string): ResolvedEndpoint => ({
  scheme: 'http',
  address: `127.0.0.1:${port}`,
  host,
  ca: undefined,
});
const request = (more: Partial<CloudRequest>): CloudRequest => ({
  ...{ action: 'GetAuthorizationToken', version: '2018-12-01', method: 'POST', pathname: '/', query: {} },
  ...{
    key: undefined,
    region: 'cn-hangzhou',
    endpoints: [here('cr.cn-hangzhou.aliyuncs.com')],
    subject: 'cri-fake',
    now: NOW,
  },
  ...more,
});
const key = (accessKeyId: string, accessKeySecret: string, securityToken?: string) => ({
  ...{ accessKeyId, accessKeySecret, origin: 'a test', account: 'a test' },
  ...(securityToken === undefined ? {} : { securityToken }),
});

describe('[acr X1] a signature', () => {
  test.each<[string, string, Partial<CloudRequest>, string]>([
    [
      'V1, the vendor’s own',
      '3156853299f313e23d1673dc12e1703d',
      {
        ...{ action: 'RunInstances', version: '2014-05-26', endpoints: [] },
        query: { ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd', RegionId: 'cn-shanghai' },
        key: key('YourAccessKeyId', 'YourAccessKeySecret'),
        now: Date.parse('2023-10-26T10:22:32Z'),
      },
      '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
    ],
    [
      'V2, of a session',
      '0123456789abcdef0123456789abcdef',
      { query: { InstanceId: 'cri-test0000000001' }, key: key('STS.testak', 'testsecret', 'testsecuritytoken') },
      '188fe4f549395110cd1b5efbcc918d021bd1b7cb23baea09d45452b6fa57af95',
    ],
    [
      'V3, of the Personal Edition',
      '0123456789abcdef0123456789abcdef',
      { version: '2016-06-07', method: 'GET', pathname: '/tokens', key: key('LTAItestak', 'testsecret') },
      'fadc6e9858e0b2bd26b19f92903c5a2494b6d3a4d0ba1c0f1049c40a42ab3a47',
    ],
  ])('is that of vector %s', async (name, nonce, more, signature) => {
    const host = name.startsWith('V1')
      ? 'ecs.cn-shanghai.aliyuncs.com'
      : name.startsWith('V2')
        ? 'cr-vpc.cn-hangzhou.aliyuncs.com'
        : 'cr.cn-hangzhou.aliyuncs.com';
    await createAlibabaClient({ nonce: () => nonce }).call(request({ ...more, endpoints: [here(host)] }), signal);
    expect(requests[0]?.headers.authorization).toContain(`Signature=${signature}`);
    expect(requests[0]?.headers.host).toBe(host);
  });

  test('has another nonce each time, and a session’s token only for a session', async () => {
    const client = createAlibabaClient();
    await client.call(request({ key: key('LTAIfake', 'fake') }), signal);
    await client.call(request({ key: key('STS.fake', 'fake', 'fake-token') }), signal);
    const [first, second] = requests.map(({ headers }) => headers);
    expect(first?.['x-acs-signature-nonce']).not.toBe(second?.['x-acs-signature-nonce']);
    expect([first?.['x-acs-security-token'], second?.['x-acs-security-token']]).toEqual([undefined, 'fake-token']);
  });

  test('is not there where the call is not signed; what is secret stands in the body', async () => {
    await createAlibabaClient().call(request({ query: { Format: 'JSON' }, form: { OIDCToken: 'a.b+c/=' } }), signal);
    expect(requests[0]).toMatchObject({ method: 'POST', url: '/?Format=JSON', body: 'OIDCToken=a.b%2Bc%2F%3D' });
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
    expect(requests[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  });
});

describe('[acr X7] an address that cannot be reached', () => {
  test.each([
    ['has no name', () => Promise.resolve('nowhere.invalid')],
    ['refuses', async () => `127.0.0.1:${await freePort()}`],
  ])('%s: the next one is asked', async (_name, address) => {
    const first = { ...here('cr-vpc.cn-hangzhou.aliyuncs.com'), address: await address() };
    const { document } = await createAlibabaClient().call(
      request({ endpoints: [first, here('cr.cn-hangzhou.aliyuncs.com')] }),
      signal,
    );
    expect(document).toEqual({ IsSuccess: true });
    expect(requests.map(({ headers }) => headers.host)).toEqual(['cr.cn-hangzhou.aliyuncs.com']);
  });

  test('is the end when there is no other, and when the cloud has answered', async () => {
    const nobody = { ...here('cr.example'), address: `127.0.0.1:${await freePort()}` };
    await expect(createAlibabaClient().call(request({ endpoints: [nobody] }), signal)).rejects.toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    answers = [{ status: 403, body: '{"Code":"NoPermission","RequestId":"ID-1"}' }];
    const both = [here('cr-vpc.cn-hangzhou.aliyuncs.com'), here('cr.cn-hangzhou.aliyuncs.com')];
    await expect(createAlibabaClient().call(request({ endpoints: both }), signal)).rejects.toMatchObject({
      reason: 'PermissionDenied',
    });
    expect(requests).toHaveLength(1);
  });
});

test('[acr X4] when the cloud asks one call of an account to slow down, all of its calls in the region do, for five seconds at most', async () => {
  const waits: number[] = [];
  let elapsed = 0;
  const budget = createRequestBudget({
    perSecond: 15,
    elapsed: () => elapsed,
    delay: (ms) => {
      waits.push(ms);
      elapsed += ms;
      return Promise.resolve();
    },
  });
  const client = createAlibabaClient({ budget });
  answers = [
    { status: 400, headers: { 'x-acs-retry-after': '7000' }, body: '{"Code":"Throttling.User"}' },
    { status: 400, body: '{"Code":"Throttling.Api"}' },
  ];
  await expect(client.call(request({}), signal)).rejects.toMatchObject({ reason: 'Throttled', retryAfterMs: 7_000 });
  await client.call(request({ region: 'cn-beijing' }), signal).catch(() => undefined);
  expect(waits).toEqual([]);
  // Not told how long: a second.
  await client.call(request({ region: 'cn-beijing' }), signal);
  expect(waits).toEqual([1_000]);
  await client.call(request({}), signal);
  expect(waits).toEqual([1_000, 4_000]);
});
