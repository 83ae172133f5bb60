// Which names DNS resolves inside of the network already: asked of a real resolver, with a DNS server of the test's own.
import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createPrivateDnsCheck, type DnsResolver, type ResolvedName } from '../../../src/hosts/private-dns.ts';

const ZONE: Readonly<Record<string, readonly number[]>> = {
  'private.example': [10, 20, 0, 7],
  'public.example': [203, 0, 113, 7],
  'shared.example': [100, 64, 3, 9],
};

let server: Socket;
let resolver: Resolver;
let asked: string[] = [];
let told: ResolvedName[] = [];

beforeAll(async () => {
  server = createSocket('udp4');
  server.on('message', (question, from) => {
    const name = nameIn(question);
    asked.push(name);
    server.send(answerTo(question, ZONE[name]), from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
});
afterAll(() => void server.close());
beforeEach(() => {
  asked = [];
  told = [];
});

/** The name of the only question (RFC 1035 section 4.1.2). */
function nameIn(message: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; (message[at] ?? 0) > 0; at += (message[at] ?? 0) + 1)
    labels.push(message.toString('latin1', at + 1, at + 1 + (message[at] ?? 0)));
  return labels.join('.');
}

/** One A record, or that there is no such name. */
function answerTo(question: Buffer, address: readonly number[] | undefined): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(address === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(address === undefined ? 0 : 1, 6);
  header.fill(0, 8);
  const end = 12 + nameIn(question).length + 2 + 4;
  const record = address === undefined ? [] : [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address];
  return Buffer.concat([header, question.subarray(12, end), Buffer.from(record)]);
}

const check = () => createPrivateDnsCheck(resolver, (resolved) => void told.push(resolved));

test('names those that DNS resolves inside, or to the very address, and no others', async () => {
  await check()([
    { domain: 'private.example', ip: '10.20.0.9' },
    { domain: 'shared.example', ip: '10.0.0.1' },
    { domain: 'public.example', ip: '10.0.0.2' },
    { domain: 'nowhere.example', ip: '10.0.0.3' },
  ]);
  expect(told).toEqual([
    { domain: 'private.example', ip: '10.20.0.9', addresses: ['10.20.0.7'] },
    { domain: 'shared.example', ip: '10.0.0.1', addresses: ['100.64.3.9'] },
  ]);
  await check()([{ domain: 'public.example', ip: '203.0.113.7' }]);
  expect(told.at(-1)).toEqual({ domain: 'public.example', ip: '203.0.113.7', addresses: ['203.0.113.7'] });
});

test('asks once for each pair, and again when it comes back', async () => {
  const checked = check();
  const pair = { domain: 'private.example', ip: '10.20.0.7' };
  for (const pairs of [[pair], [pair], [], [pair]]) await checked(pairs);
  expect([asked, told.length]).toEqual([['private.example', 'private.example'], 2]);
});

test('asks for a bounded number of names in one go', async () => {
  const pairs = Array.from({ length: 300 }, (_, at) => ({ domain: `n${at}.example`, ip: '10.0.0.1' }));
  const checked = check();
  const counts: number[] = [];
  for (let pass = 0; pass < 3; pass += 1) {
    await checked(pairs);
    counts.push(asked.length);
  }
  expect(counts).toEqual([200, 300, 300]);
});

test('asks no more while a round is under way, and afterwards what came meanwhile, also when that round failed', async () => {
  let answer = Promise.withResolvers<readonly string[]>();
  const names: string[] = [];
  const slow: DnsResolver = {
    resolve4: (name) => {
      names.push(name);
      return answer.promise;
    },
    resolve6: () => Promise.resolve([]),
  };
  const pairsOf = (round: number) =>
    Array.from({ length: 300 }, (_, at) => ({ domain: `r${round}-n${at}.example`, ip: '10.0.0.1' }));
  let tells = 0;
  const checked = createPrivateDnsCheck(slow, () => {
    tells += 1;
    if (tells === 1) throw new Error('cannot be told');
  });
  const first = checked(pairsOf(0));
  for (let round = 1; round < 10; round += 1) await checked(pairsOf(round));
  expect(names).toHaveLength(5);
  answer.resolve(['10.0.0.9']);
  await expect(first).rejects.toThrow('cannot be told');
  answer = Promise.withResolvers();
  answer.resolve([]);
  names.length = 0;
  await checked(pairsOf(9));
  expect(names.filter((name) => name.startsWith('r9-'))).toHaveLength(200);
});
