// The transport against servers that misbehave in ways an API server or a proxy in front of it does.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubeClient, type KubeClient } from '../../src/kube/client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';

let server: Server;
let url: string;
let folder: string;
let client: KubeClient;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let seen: IncomingMessage[];

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'kube-client-'));
  client = connect({ token: 'first' });
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

function connect(user: object, options: { readonly path?: string; readonly callTimeoutMs?: number } = {}): KubeClient {
  const content = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: `${url}${options.path ?? ''}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
  const { callTimeoutMs } = options;
  return createKubeClient({
    kubeConfig: loadKubeConfig({ inCluster: false, content }),
    userAgent: 'agent/1',
    ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
  });
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const get = (path = '/api/v1/x') => client.call({ method: 'GET', path });

describe('a call', () => {
  test('carries token, user agent, query and body', async () => {
    answer = (_, response) => send(response, 200, { kind: 'X' });
    const query = { fieldManager: 'me', limit: 5, left: undefined };
    expect(await client.call({ method: 'PATCH', path: '/api/v1/x', query, body: { a: 1 } })).toEqual({ kind: 'X' });
    expect(seen[0]).toMatchObject({ method: 'PATCH', url: '/api/v1/x?fieldManager=me&limit=5' });
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer first',
      'user-agent': 'agent/1',
      'content-type': 'application/merge-patch+json',
    });
  });

  test('goes below the path of the server, as behind Rancher', async () => {
    await client.close();
    client = connect({ token: 'first' }, { path: '/k8s/clusters/c1/' });
    answer = (_, response) => send(response, 200, {});
    await get();
    expect(seen[0]?.url).toBe('/k8s/clusters/c1/api/v1/x');
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["a proxy's page", (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['a list', (response) => send(response, 200, [])],
    ['half an object', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":')],
    ['nothing', (response) => response.writeHead(200).end()],
  ])('answered with %s is BadAnswer', async (_what, respond) => {
    answer = (_, response) => respond(response);
    await expect(get()).rejects.toMatchObject({ reason: 'BadAnswer', status: 200 });
  });

  test('that gets no answer ends in time as Unavailable', async () => {
    await client.close();
    client = connect({ token: 'first' }, { callTimeoutMs: 100 });
    answer = () => undefined;
    await expect(get()).rejects.toMatchObject({
      reason: 'Unavailable',
      message: 'GET /api/v1/x had no answer in time',
    });
  });

  test('that its caller stops is Aborted', async () => {
    const stop = new AbortController();
    answer = () => stop.abort();
    await expect(client.call({ method: 'GET', path: '/api/v1/x', signal: stop.signal })).rejects.toMatchObject({
      reason: 'Aborted',
    });
  });

  test('that meets a closed socket is sent again if it only reads', async () => {
    answer = (request, response) => (seen.length === 1 ? void request.socket.destroy() : send(response, 200, {}));
    await get();
    expect(seen).toHaveLength(2);
    seen = [];
    await expect(client.call({ method: 'POST', path: '/api/v1/x', body: {} })).rejects.toMatchObject({
      reason: 'Unavailable',
    });
    expect(seen).toHaveLength(1);
  });

  test('to a server that is not there is Unavailable and names the code', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(get()).rejects.toThrow('GET /api/v1/x failed: ECONNREFUSED');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
});

describe('credentials', () => {
  test('that were refused are read anew at once, and the call is made again', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'old');
    await client.close();
    client = connect({ 'auth-provider': { name: 'tokenFile', config: { tokenFile } } });
    answer = ({ headers }, response) => send(response, headers.authorization === 'Bearer new' ? 200 : 401, {});
    await expect(get()).rejects.toMatchObject({ reason: 'Unauthorized', status: 401 });
    await writeFile(tokenFile, 'new');
    await get();
    expect(seen.map(({ headers }) => headers.authorization).slice(-2)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('that cannot be read are told without their content', async () => {
    await client.close();
    client = connect({ 'auth-provider': { name: 'tokenFile', config: { tokenFile: join(folder, 'none') } } });
    await expect(get()).rejects.toMatchObject({
      reason: 'Unauthorized',
      message: 'Own credentials could not be read: ENOENT',
    });
  });
});

test('when the API server asks one call to slow down, the next one waits too, but not a Lease', async () => {
  answer = (_, response) =>
    seen.length === 1 ? send(response, 429, {}, { 'retry-after': '1' }) : send(response, 200, {});
  await expect(get()).rejects.toMatchObject({ reason: 'Throttled', retryAfterMs: 1_000 });
  const refusedAt = performance.now();
  await client.call({ method: 'GET', path: '/apis/leases', ungated: true });
  expect(performance.now() - refusedAt).toBeLessThan(900);
  await get();
  expect(performance.now() - refusedAt).toBeGreaterThan(900);
});

describe('a watch', () => {
  const open = (signal: AbortSignal) => client.stream({ path: '/api/v1/x', query: { watch: true }, signal });

  test('gives lines and ends when the server ends it', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":"ü');
      setImmediate(() => response.end('"}\n{"b":1}\n'));
    };
    const lines: string[] = [];
    for await (const line of await open(new AbortController().signal)) lines.push(line);
    expect(lines).toEqual(['{"a":"ü"}', '{"b":1}']);
  });

  test('that breaks is Unavailable, that is stopped is Aborted', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{}\n');
      setTimeout(() => request.socket.destroy(), 50);
    };
    const read = async (signal: AbortSignal): Promise<void> => {
      for await (const line of await open(signal)) expect(line).toBe('{}');
    };
    await expect(read(new AbortController().signal)).rejects.toMatchObject({ reason: 'Unavailable' });
    answer = (_, response) => void response.writeHead(200).write('{}\n');
    await expect(read(AbortSignal.timeout(100))).rejects.toMatchObject({ reason: 'Aborted' });
  });

  test('that is refused says why', async () => {
    answer = (_, response) => send(response, 410, { kind: 'Status', reason: 'Expired' });
    await expect(open(new AbortController().signal)).rejects.toMatchObject({ reason: 'Expired', status: 410 });
  });

  test('takes no socket from the calls', async () => {
    answer = ({ url: path }, response) => {
      if (path?.includes('watch') === true) response.writeHead(200).write('{}\n');
      else send(response, 200, {});
    };
    const stop = new AbortController();
    await Promise.all(Array.from({ length: 50 }, () => open(stop.signal)));
    expect(await get()).toEqual({});
    stop.abort();
  });
});
