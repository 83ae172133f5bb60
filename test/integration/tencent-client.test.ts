// The client of Tencent Cloud on the wire: whole answers in every packing, broken ones, deadlines, and whom it trusts.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ProviderError } from '../../src/core/errors.ts';
import type { ServiceEndpoint } from '../../src/providers/provider.ts';
import { createTencentClient } from '../../src/providers/tencent/client.ts';
import type { CloudRequest } from '../../src/providers/tencent/cloud-request.ts';
import { startClouds, TENCENT_SAMPLE, type Clouds } from '../support/clouds/clouds.ts';
import { freePort } from '../support/control-plane/ports.ts';

const { signal } = new AbortController();
const TIMEOUT_MS = 3_000;
const { secretId, secretKey } = TENCENT_SAMPLE.key;
const KEY = { secretId, secretKey, origin: 'a test', account: 'a test' };
const SUCCESS = '{"Response":{"RequestId":"0f0f0f0f-1111-4222-8333-444444444444","Token":"fake-token"}}';

const requestTo = (tcr: ServiceEndpoint, more: Partial<CloudRequest> = {}): CloudRequest => ({
  ...{ service: 'tcr', action: 'CreateInstanceToken', region: 'ap-guangzhou', key: KEY, now: Date.now },
  ...{ subject: 'tcr-sample01 in ap-guangzhou', endpoints: { tencent: { tcr } } },
  parameters: { RegistryId: TENCENT_SAMPLE.instance.registryId },
  ...more,
});
const failureOf = (promise: Promise<unknown>): Promise<ProviderError> =>
  promise.then(
    () => {
      throw new Error('it went well');
    },
    (error: unknown) => error as ProviderError,
  );

describe('an answer', () => {
  let server: Server;
  let url: string;
  let requests: { readonly headers: IncomingMessage['headers']; readonly body: string; readonly path: string }[];
  let answer: (response: ServerResponse) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { headers, method = '', url: path = '' } = request;
        requests.push({ headers, body: Buffer.concat(chunks).toString(), path: `${method} ${path}` });
        answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests = [];
    answer = (response) => response.end(SUCCESS);
  });

  const call = (more: Partial<CloudRequest> = {}, abort = signal) =>
    createTencentClient({ timeoutMs: TIMEOUT_MS }).call(
      requestTo({ url, host: 'tcr.tencentcloudapi.com' }, more),
      abort,
    );

  test('[tcr W2] is to exactly the bytes that were hashed, under the host that was signed', async () => {
    await call({
      parameters: { RegistryId: 'tcr-a1b2c3d4', TokenType: 'temp', Desc: null },
      now: () => 1_767_225_600_000,
    });
    expect(requests).toMatchObject([
      {
        path: 'POST /',
        body: '{"RegistryId":"tcr-a1b2c3d4","TokenType":"temp"}',
        headers: {
          ...{ host: 'tcr.tencentcloudapi.com', 'content-type': 'application/json', 'content-length': '48' },
          ...{ 'x-tc-timestamp': '1767225600', 'accept-encoding': 'gzip, deflate' },
        },
      },
    ]);
  });

  test.each<[string, Readonly<Record<string, string>>, Buffer]>([
    ['plain', {}, Buffer.from(SUCCESS)],
    ['in gzip', { 'content-encoding': 'gzip' }, gzipSync(SUCCESS)],
    ['in deflate', { 'content-encoding': 'deflate' }, deflateSync(SUCCESS)],
    ['in deflate without its header', { 'content-encoding': 'Deflate' }, deflateRawSync(SUCCESS)],
  ])('[tcr W3] may come %s', async (_name, headers, body) => {
    answer = (response) => response.writeHead(200, headers).end(body);
    expect((await call()).response.Token).toBe('fake-token');
  });

  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    [
      'that ends before it should',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write(SUCCESS, () => response.destroy());
      },
      /broke its answer off \(ECONNRESET\)/,
    ],
    [
      'in chunks that never ends right',
      (response) => {
        response.writeHead(200);
        response.write(SUCCESS, () => response.destroy());
      },
      /broke its answer off \(ECONNRESET\)/,
    ],
    ['that does not begin', (response) => void response.destroy(), /could not be reached \(ECONNRESET\)/],
    [
      'whose gzip is cut',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(SUCCESS).subarray(0, 40)),
      /cannot be unpacked \(Z_BUF_ERROR\)/,
    ],
    [
      'that is no gzip',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(SUCCESS),
      /cannot be unpacked \(Z_DATA_ERROR\)/,
    ],
    ['without an end', (response) => response.end(`"${'x'.repeat(2_000_000)}"`), /more than 1 MiB/],
    [
      'that unpacks to more than 1 MiB',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(2_000_000))),
      /cannot be unpacked \(ERR_BUFFER_TOO_LARGE\)/,
    ],
    ['that does not come', () => undefined, /did not answer within 3 s/],
    [
      'that begins and stops',
      (response) => {
        response.writeHead(200);
        response.write('{"Response"');
      },
      /did not answer within 3 s/,
    ],
  ])('[tcr W3] %s is a failure that passes', async (_name, give, words) => {
    answer = give;
    const error = await failureOf(call());
    expect(error).toMatchObject({ reason: 'CloudUnavailable', message: expect.stringMatching(words) });
    expect(error.message).toMatch(/^CreateInstanceToken of tcr-sample01 in ap-guangzhou failed: /);
    expect(requests).toHaveLength(1);
  });

  test('nobody waits for is given up at once', async () => {
    const abort = new AbortController();
    answer = () => abort.abort();
    expect((await failureOf(call({}, abort.signal))).message).toContain('was given up');
    expect((await failureOf(call({}, AbortSignal.abort()))).message).toContain('was given up');
    expect(requests).toHaveLength(1);
  });
});

describe('the simulated cloud', () => {
  let clouds: Clouds;
  let endpoint: ServiceEndpoint;

  beforeAll(async () => {
    clouds = await startClouds();
    const { url, host, caFile = '' } = clouds.endpoints().tencent.tcr;
    endpoint = { url, host, ca: await readFile(caFile, 'utf8') };
  });
  afterAll(() => clouds.stop());

  const call = (tcr: ServiceEndpoint, more: Partial<CloudRequest> = {}) =>
    createTencentClient({ timeoutMs: TIMEOUT_MS }).call(requestTo(tcr, more), signal);

  test('[tcr W1] accepts what is signed, by its public name, by those of other sites, and by its address', async () => {
    const { url = '', ca = '' } = endpoint;
    for (const host of [
      'tcr.tencentcloudapi.com',
      'tcr.intl.tencentcloudapi.com',
      'tcr.internal.tencentcloudapi.com',
    ]) {
      expect((await call({ url, ca, host })).response.Username).toBe(TENCENT_SAMPLE.user.uin);
    }
    expect((await call({ url, ca })).response.Username).toBe(TENCENT_SAMPLE.user.uin);
  });

  test('is not trusted when its certificate is of an authority that was not named, or for another host', async () => {
    clouds.tencent.tcr.clearCalls();
    const { url = '', ca = '' } = endpoint;
    expect((await failureOf(call({ url, host: 'tcr.tencentcloudapi.com' }))).message).toMatch(
      /could not be reached \([A-Z_]*(SELF_SIGNED|VERIFY|ISSUER)[A-Z_]*\)/,
    );
    expect((await failureOf(call({ url, ca, host: 'cr.cn-hangzhou.aliyuncs.com' }))).message).toContain(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    expect(clouds.tencent.tcr.calls()).toEqual([]);
  });

  test.each([
    ['refuses', async () => `https://127.0.0.1:${await freePort()}`, 'ECONNREFUSED'],
    ['has no name', () => Promise.resolve('https://nowhere.invalid'), 'ENOTFOUND'],
  ])('whose address %s is told by it', async (_name, url, code) => {
    const error = await failureOf(call({ url: await url() }));
    expect(error).toMatchObject({ reason: 'CloudUnavailable', message: expect.stringContaining(`(${code})`) });
  });

  test('[tcr W4] with another clock is asked by its own from the second call on', async () => {
    clouds.setClockOffset(1_200_000);
    try {
      const client = createTencentClient({ timeoutMs: TIMEOUT_MS });
      clouds.tencent.tcr.clearCalls();
      await client.call(requestTo(endpoint), signal);
      const { clockOffsetMs } = await client.call(requestTo(endpoint), signal);
      expect(Math.abs((clockOffsetMs ?? 0) - 1_200_000)).toBeLessThan(2_000);
      expect(clouds.tencent.tcr.calls().map(({ code }) => code)).toEqual([
        ...['AuthFailure.SignatureExpire', 'success', 'success'],
      ]);
    } finally {
      clouds.setClockOffset(0);
    }
  });

  test('[tcr W4] is never asked faster than it bears', async () => {
    clouds.tencent.tcr.clearCalls();
    const client = createTencentClient();
    const ask = (action: string, count: number) =>
      Array.from({ length: count }, () => client.call(requestTo(endpoint, { action }), signal));
    await Promise.all([...ask('CreateInstanceToken', 150), ...ask('DescribeInstanceToken', 30)]);
    expect(clouds.tencent.tcr.calls({ code: 'success' })).toHaveLength(180);
    expect(clouds.tencent.tcr.calls({ code: 'RequestLimitExceeded' })).toEqual([]);
  });
});
