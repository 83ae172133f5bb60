// The health and metrics server, over real sockets: what it answers, and that no request harms it.
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ConfigError } from '../../src/core/errors.ts';
import { startHealthServer, type HealthServer, type HealthServerOptions } from '../../src/observability/http.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { eventually } from '../support/eventually.ts';

const servers: HealthServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const BROKEN = { name: 'caches', check: () => 'the first list is not complete' };
const FINE = { name: 'queue', check: () => undefined };
const TOLD = { name: 'configuration', check: () => 'invalid: no registry', informational: true };

describe('health', () => {
  test('is ok in one word', async () => {
    expect(await get('/readyz', { ready: [FINE, TOLD] })).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await get('/livez')).toMatchObject({ status: 200, text: 'ok\n' });
  });

  test('with ?verbose names every check, also those that only inform', async () => {
    expect(await get('/readyz?verbose', { ready: [FINE, TOLD] })).toMatchObject({
      status: 200,
      text: '[+]queue ok\n[-]configuration failed: invalid: no registry\ncheck passed\n',
    });
  });

  test('fails with the name of the check and its reason', async () => {
    expect(await get('/readyz', { ready: [FINE, BROKEN] })).toMatchObject({
      status: 503,
      text: '[+]queue ok\n[-]caches failed: the first list is not complete\ncheck failed\n',
    });
  });

  test('is asked anew at every request', async () => {
    let why: string | undefined = 'starting';
    const server = await start({ ready: [{ name: 'caches', check: () => why }] });
    expect((await fetchFrom(server, '/readyz')).status).toBe(503);
    why = undefined;
    expect((await fetchFrom(server, '/readyz')).status).toBe(200);
  });

  test('of a check that throws is bad', async () => {
    const throwing = {
      name: 'broken',
      check: (): undefined => {
        throw new Error('fake');
      },
    };
    expect(await get('/livez', { live: [throwing] })).toMatchObject({
      status: 503,
      text: expect.not.stringContaining('fake'),
    });
  });
});

test('metrics come in the text format', async () => {
  const answer = await get('/metrics');
  expect(answer).toMatchObject({
    status: 200,
    text: expect.stringContaining('registry_credential_helper_build_info{version="1"} 1'),
  });
  expect(answer.contentType).toMatch(/^text\/plain; version=/);
});

test('metrics that cannot be gathered are an error without its text', async () => {
  const metrics = { render: () => Promise.reject(new Error('fake-secret')) };
  expect(await get('/metrics', { metrics })).toMatchObject({ status: 500, text: expect.not.stringContaining('fake') });
});

test('other paths and methods are refused', async () => {
  const server = await start();
  for (const path of ['/', '/debug', '/metrics/../livez/x', '/%2e%2e'])
    expect((await fetchFrom(server, path)).status).toBe(404);
  for (const method of ['POST', 'DELETE', 'PUT']) expect((await fetchFrom(server, '/livez', method)).status).toBe(405);
  expect(await fetchFrom(server, '/livez', 'HEAD')).toMatchObject({ status: 200, text: '' });
});

test('no request whatever ends the server', async () => {
  const server = await start();
  for (const path of ['//', '//[', 'http://[', '/?%', '*', '/livez?verbose&'.padEnd(4_000, 'x')]) {
    expect((await rawRequest(server, path)).length).toBeGreaterThan(0);
  }
  await sendBytes(server, 'nonsense\r\n\r\n');
  await sendBytes(server, `GET /livez HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  expect((await fetchFrom(server, '/livez')).status).toBe(200);
});

describe('connections that say nothing', () => {
  const FLOOD = 200;
  const sockets: Socket[] = [];
  afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));

  const flood = async (server: HealthServer, text = ''): Promise<void> => {
    const opened = Array.from({ length: FLOOD }, () => openSocket(server, text));
    sockets.push(...(await Promise.all(opened)));
  };
  const open = () => sockets.filter((socket) => !socket.destroyed);

  test.each([
    ['nothing at all', ''],
    ['half a request', 'GET /livez HTTP/1.1\r\nx: '],
  ])('do not keep kubelet out: %s', async (_sentence, text) => {
    const server = await start();
    await flood(server, text);
    for (let count = 0; count < 5; count += 1) expect((await fetchFrom(server, '/livez')).status).toBe(200);
    await eventually('only so many stay open', () => open().length <= 64);
  });

  test('are dropped before one that waits for its answer', async () => {
    const { promise, resolve } = Promise.withResolvers<{ text: string; contentType: string }>();
    const asked = Promise.withResolvers<undefined>();
    const render = () => {
      asked.resolve(undefined);
      return promise;
    };
    const server = await start({ metrics: { render } });
    const scrape = fetchFrom(server, '/metrics');
    await asked.promise;
    await flood(server);
    resolve({ text: 'late', contentType: 'text/plain' });
    expect(await scrape).toMatchObject({ status: 200, text: 'late' });
  });

  test('are ended soon', async () => {
    const server = await start();
    await flood(server);
    await eventually('none is open', () => open().length === 0, 9_000);
  }, 15_000);
});

test('the address 0 is no server', async () => {
  expect(await startHealthServer(options({ address: '0' }))).toBeUndefined();
});

test('a taken port is a problem of the settings', async () => {
  const { port } = await start();
  const second = startHealthServer(options({ address: `127.0.0.1:${port}` }));
  await expect(second).rejects.toBeInstanceOf(ConfigError);
  await expect(second).rejects.toThrow(`--metrics-address=127.0.0.1:${port} cannot be listened on (EADDRINUSE)`);
});

test('close ends idle connections too', async () => {
  const server = await start();
  const socket = connect(server.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await server.close();
  await closed;
  servers.splice(0);
});

function options(parts: Partial<HealthServerOptions>): HealthServerOptions {
  return { address: '127.0.0.1:0', metrics: createMetrics({ version: '1' }), live: [FINE], ready: [FINE], ...parts };
}

async function start(parts: Partial<HealthServerOptions> = {}): Promise<HealthServer> {
  const server = await startHealthServer(options(parts));
  if (server === undefined) throw new Error('no server');
  servers.push(server);
  return server;
}

async function get(path: string, parts: Partial<HealthServerOptions> = {}) {
  return fetchFrom(await start(parts), path);
}

async function fetchFrom({ port }: HealthServer, path: string, method = 'GET') {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: answer.status, contentType: answer.headers.get('content-type'), text: await answer.text() };
}

/** A path as it is, without the client's own tidying. */
function rawRequest({ port }: HealthServer, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume().once('end', () => resolve(String(answer.statusCode)));
    })
      .once('error', reject)
      .end();
  });
}

/** Resolves once it is connected. */
function openSocket({ port }: HealthServer, text: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      resolve(socket);
    });
    socket.resume().on('error', () => undefined);
  });
}

function sendBytes({ port }: HealthServer, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket
      .resume()
      .on('error', () => undefined)
      .once('close', () => resolve());
  });
}
