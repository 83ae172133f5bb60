// The webhook's own server: bounded, kept alive, its certificate swapped while it serves, and ended in good order.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest, Agent, type RequestOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { BUNDLE } from '../../scripts/bundle.ts';
import { createAuthority, issueLeaf, type KeyPair } from '../../src/webhook/certificates.ts';
import { RESOURCE_REVIEW_PATH, REVIEW_PATH } from '../../src/webhook/object.ts';
import { startWebhookServer, type WebhookServer } from '../../src/webhook/server.ts';
import { eventually } from '../support/eventually.ts';

const run = promisify(execFile);

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly connection: string | undefined;
  readonly leaf: string;
  readonly reused: boolean;
}

let authority: KeyPair;
let leaves: readonly [KeyPair, KeyPair];
let server: WebhookServer;
let agent: Agent;
let refused = 0;
let handle: (body: string) => string;

beforeAll(async () => {
  authority = await createAuthority('test', Date.now());
  leaves = [
    await issueLeaf(authority, ['127.0.0.1'], Date.now()),
    await issueLeaf(authority, ['127.0.0.1'], Date.now()),
  ];
});
beforeEach(async () => {
  refused = 0;
  handle = (body) => `answer to ${body.length}`;
  agent = new Agent({ keepAlive: true, ca: authority.cert, maxCachedSessions: 0 });
  server = await startWebhookServer({
    address: '127.0.0.1:0',
    pair: leaves[0],
    handlers: { [REVIEW_PATH]: (body) => handle(body), [RESOURCE_REVIEW_PATH]: (body) => `of resources: ${body}` },
    onRefused: () => void (refused += 1),
  });
});
afterEach(async () => {
  agent.destroy();
  await server.close();
});

function send(body: string | Buffer, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: server.port, path: `${REVIEW_PATH}?timeout=3s`, method: 'POST', agent };
    const call = httpsRequest({ ...target, ...options }, (response) => {
      const chunks: Buffer[] = [];
      const { socket } = response as unknown as { socket: { getPeerCertificate(): { fingerprint256: string } } };
      const leaf = socket.getPeerCertificate().fingerprint256;
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          connection: response.headers.connection,
          leaf,
          reused: call.reusedSocket,
        }),
      );
    });
    call.on('error', reject).end(body);
  });
}

describe('a request', () => {
  test('is answered, and the next one on the same connection too', async () => {
    expect(await send('abc')).toMatchObject({
      status: 200,
      body: 'answer to 3',
      connection: 'keep-alive',
      reused: false,
    });
    expect(await send('abcd')).toMatchObject({ status: 200, body: 'answer to 4', reused: true });
    expect(refused).toBe(0);
  });

  test('is answered below a prefix that a proxy has added', async () => {
    expect(await send('abc', { path: `/prefix${REVIEW_PATH}` })).toMatchObject({ status: 200 });
  });

  test('is answered by whoever its path names', async () => {
    expect(await send('abc', { path: RESOURCE_REVIEW_PATH })).toMatchObject({ status: 200, body: 'of resources: abc' });
    expect(await send('', { path: '/' })).toMatchObject({ body: `try ${REVIEW_PATH} or ${RESOURCE_REVIEW_PATH}\n` });
  });

  test.each([
    ['to another path', { path: '/' }, 404],
    ['by another method', { method: 'PUT' }, 405],
  ])('%s is refused and counted', async (_, options, status) => {
    expect(await send('', options)).toMatchObject({ status });
    expect(refused).toBe(1);
  });

  test('of four mebibytes is read, and of one byte more refused', async () => {
    expect(await send(Buffer.alloc(4_194_304, 'a'))).toMatchObject({ status: 200, body: 'answer to 4194304' });
    expect(await send(Buffer.alloc(4_194_305, 'a'))).toMatchObject({ status: 413, connection: 'close' });
    expect(refused).toBe(1);
    expect(await send('abc')).toMatchObject({ status: 200 });
  });

  test('that breaks off harms nobody', async () => {
    const broken = httpsRequest({
      host: '127.0.0.1',
      port: server.port,
      path: REVIEW_PATH,
      method: 'POST',
      ca: authority.cert,
    });
    broken.on('error', () => undefined);
    broken.setHeader('content-length', 100);
    broken.write('half');
    await new Promise((resolve) => broken.once('socket', (socket) => socket.once('secureConnect', resolve)));
    broken.destroy();
    expect(await send('abc')).toMatchObject({ status: 200 });
  });
});

describe('the certificate', () => {
  test('is swapped for new connections, while the old ones go on', async () => {
    const before = await send('a');
    server.use(leaves[1]);
    expect(await send('b')).toMatchObject({ reused: true, leaf: before.leaf });
    const other = new Agent({ ca: authority.cert, maxCachedSessions: 0 });
    const after = await send('c', { agent: other });
    expect(after).toMatchObject({ status: 200, reused: false });
    expect(after.leaf).not.toBe(before.leaf);
    other.destroy();
  });

  test('stays when the next one does not fit its key', async () => {
    const before = await send('a', { agent: false, ca: authority.cert });
    expect(() => server.use({ cert: leaves[1].cert, key: leaves[0].key })).toThrow();
    expect(await send('b', { agent: false, ca: authority.cert })).toMatchObject({ leaf: before.leaf });
  });
});

describe('its end', () => {
  test('is asked for while it drains, and no request is refused', async () => {
    await send('a');
    server.drain();
    expect(await send('b')).toMatchObject({ status: 200, connection: 'close', reused: true });
    expect(await send('c')).toMatchObject({ status: 200, connection: 'close', reused: false });
  });

  test('closes what is idle at once', async () => {
    await send('a');
    await server.close();
    await expect(send('b', { agent: false })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('does not wait for ever for who says nothing', async () => {
    const silent = connectTcp(server.port, '127.0.0.1');
    silent.on('error', () => undefined);
    await new Promise((resolve) => silent.once('connect', resolve));
    await server.close();
    await eventually('it is cut off', () => silent.destroyed || silent.readableEnded);
    silent.destroy();
  });
});

test('the bundle makes certificates as the sources do, with the library in a chunk of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'webhook-bundle-'));
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { createAuthority, isTrusted, issueLeaf, readBundle } from './src/webhook/certificates.ts';
          const authority = await createAuthority('bundled', Date.now());
          const { cert } = await issueLeaf(authority, ['127.0.0.1'], Date.now());
          console.log(isTrusted(readBundle(cert)[0], readBundle(authority.cert), Date.now()));`,
        resolveDir: process.cwd(),
      },
      ...BUNDLE,
      outdir: folder,
      write: false,
    });
    await Promise.all(outputFiles.map(({ path, contents }) => writeFile(path, contents)));
    const entry = outputFiles.find(({ path }) => path.endsWith('stdin.mjs'));
    expect(entry?.contents.length).toBeLessThan(20_000);
    const { stdout } = await run(process.execPath, [entry?.path ?? ''], { env: { ...process.env, NODE_OPTIONS: '' } });
    expect(stdout).toBe('true\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('many connections that say nothing keep nobody out', async () => {
  const agents = Array.from({ length: 300 }, () => new Agent({ keepAlive: true, ca: authority.cert }));
  for (const idle of agents) expect(await send('a', { agent: idle })).toMatchObject({ status: 200 });
  expect(await send('b', { agent: false, ca: authority.cert })).toMatchObject({ status: 200 });
  for (const idle of agents) idle.destroy();
});

describe('who takes long', () => {
  const LIMIT_MS = 30_000;
  const sockets: TLSSocket[] = [];
  afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));

  /** A connection on which `text` was sent; collects what comes back. */
  async function say(text: string): Promise<{ readonly answer: () => string; readonly isClosed: () => boolean }> {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: authority.cert });
    sockets.push(socket);
    let answer = '';
    let isClosed = false;
    socket.on('data', (chunk: Buffer) => void (answer += chunk.toString()));
    socket.on('error', () => undefined).on('close', () => void (isClosed = true));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    await new Promise((resolve) => socket.write(text, resolve));
    return { answer: () => answer, isClosed: () => isClosed };
  }
  const headOf = (length: number): string =>
    `POST ${REVIEW_PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`;

  test('and sends halves of large bodies gives way, and a review is answered', async () => {
    const half = 'a'.repeat(4_000_000);
    const greedy: Awaited<ReturnType<typeof say>>[] = [];
    for (let count = 0; count < 12; count += 1) greedy.push(await say(headOf(4_194_304) + half));
    // Eight of them are all that fit.
    await eventually('the others are refused', () => greedy.filter(({ answer }) => answer() !== '').length >= 4);
    const review = 'b'.repeat(1_000_000);
    const proper = { agent: false, ca: authority.cert } as const;
    expect(await send(review, proper)).toMatchObject({ status: 200, body: 'answer to 1000000' });
    for (const { answer } of greedy) expect(answer()).toMatch(/^($|HTTP\/1.1 503 [^]*connection: close)/i);
    expect(greedy.filter(({ answer }) => answer() === '').length).toBeGreaterThanOrEqual(7);
  });

  test('and breaks off gives back what was reserved', async () => {
    const half = 'a'.repeat(4_000_000);
    for (let round = 0; round < 3; round += 1) {
      const greedy = await Promise.all(Array.from({ length: 7 }, () => say(headOf(4_194_304) + half)));
      await send('abc', { agent: false, ca: authority.cert });
      expect(greedy.map(({ answer }) => answer())).toEqual(greedy.map(() => ''));
      sockets.splice(0).forEach((socket) => socket.destroy());
      await eventually('they are gone', () => greedy.every(({ isClosed }) => isClosed()));
    }
    expect(refused).toBe(0);
  });

  test(
    'is cut off: for a handshake, for headers and for a body',
    async () => {
      const startedAt = Date.now();
      const silent = connectTcp(server.port, '127.0.0.1').on('error', () => undefined);
      let silentEndedAt = Number.POSITIVE_INFINITY;
      silent.resume().on('close', () => void (silentEndedAt = Date.now()));
      const [header, body] = await Promise.all([
        say(`POST ${REVIEW_PATH} HTTP/1.1\r\nhost: a\r\n`),
        say(`${headOf(100)}half`),
      ]);
      await eventually('the one that does not shake hands', () => silentEndedAt < Number.POSITIVE_INFINITY, 8_000);
      await eventually('the one that does not end its headers', () => header.isClosed(), 14_000);
      await eventually('the one that does not end its body', () => body.isClosed(), 20_000);
      expect(silentEndedAt - startedAt).toBeGreaterThan(4_000);
      expect(header.answer()).toContain(' 408 ');
      expect(body.answer()).toContain(' 408 ');
      expect(Date.now() - startedAt).toBeLessThan(20_000);
    },
    LIMIT_MS,
  );
});

test('an address that is taken is named by its code', async () => {
  const taken = startWebhookServer({
    address: `127.0.0.1:${server.port}`,
    pair: leaves[0],
    handlers: {},
    onRefused: () => undefined,
  });
  await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
