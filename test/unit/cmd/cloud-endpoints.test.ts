// Where cloud services are reached: what may be written, and every problem at once.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseCloudEndpoints } from '../../../src/cmd/cloud-endpoints.ts';

const folder = mkdtempSync(join(tmpdir(), 'cloud-endpoints-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function parse(input: unknown): { readonly endpoints: unknown; readonly issues: readonly string[] } {
  const issues: string[] = [];
  const text = typeof input === 'string' || input === undefined ? input : JSON.stringify(input);
  return { endpoints: parseCloudEndpoints(text, issues), issues };
}

describe('endpoints', () => {
  const full = { url: 'https://cr-vpc.{region}.aliyuncs.com', host: 'cr.{region}.aliyuncs.com', ca: 'PEM' };

  test.each<readonly [string, unknown, unknown]>([
    ['none', undefined, {}],
    ['an empty object', {}, {}],
    ['all fields', { alibaba: { cr: full } }, { alibaba: { cr: full } }],
    [
      'a slash at the end of the url',
      { alibaba: { cr: { url: 'http://127.0.0.1:80/' } } },
      { alibaba: { cr: { url: 'http://127.0.0.1:80' } } },
    ],
    [
      'the international site of Tencent Cloud',
      { tencent: { tcr: { url: 'https://tcr.intl.tencentcloudapi.com' }, sts: {}, metadata: {} } },
      { tencent: { tcr: { url: 'https://tcr.intl.tencentcloudapi.com' }, sts: {}, metadata: {} } },
    ],
    ['space before the JSON', ' \n{"alibaba": {}}', { alibaba: {} }],
  ])('%s', (_, input, expected) => {
    expect(parse(input)).toEqual({ endpoints: expected, issues: [] });
  });

  test('from a file, with the authorities in another', () => {
    const caFile = file('ca.pem', 'PEM');
    const path = file('endpoints.json', JSON.stringify({ alibaba: { cr: { caFile } } }));
    expect(parse(path)).toEqual({ endpoints: { alibaba: { cr: { ca: 'PEM' } } }, issues: [] });
  });

  test('of a service named like a prototype key are kept to themselves', () => {
    parse('{"__proto__": {"cr": {"host": "x"}}}');
    expect(({} as Record<string, unknown>).cr).toBeUndefined();
  });
});

describe('problems', () => {
  test.each<readonly [string, unknown, string]>([
    ['no JSON', '{"a": ', '--cloud-endpoints: neither JSON nor a file with JSON (syntax error)'],
    ['no such file', join(folder, 'missing'), '--cloud-endpoints: neither JSON nor a file with JSON (ENOENT)'],
    ['a folder', folder, '--cloud-endpoints: neither JSON nor a file with JSON (EISDIR)'],
    ['a cloud that is no object', { alibaba: 1 }, '--cloud-endpoints: alibaba must be an object of services'],
    [
      'a service that is no object',
      { alibaba: { cr: 'https://x' } },
      '--cloud-endpoints: alibaba.cr must be an object',
    ],
    ['an unknown field', { alibaba: { cr: { uri: 'x' } } }, '--cloud-endpoints: alibaba.cr.uri is unknown'],
    ['a misspelt cloud', { alibab: { cr: {} } }, '--cloud-endpoints: alibab is no cloud that is called: use alibaba'],
    [
      'a misspelt service',
      { alibaba: { crr: {} } },
      '--cloud-endpoints: alibaba.crr is no service that is called: use cr',
    ],
    [
      'another placeholder',
      { alibaba: { cr: { host: 'cr.{zone}.example' } } },
      '--cloud-endpoints: alibaba.cr: only {region} is replaced, not {zone}',
    ],
    ['a list', '[]', '--cloud-endpoints: must be an object: cloud, service, endpoint'],
    ['a field that is no text', { alibaba: { cr: { host: 1 } } }, '--cloud-endpoints: alibaba.cr.host must be text'],
    [
      'a url without scheme',
      { alibaba: { cr: { url: 'x.example' } } },
      '--cloud-endpoints: alibaba.cr.url=x.example must be https://',
    ],
    [
      'a url with a path',
      { alibaba: { cr: { url: 'https://x.example/p' } } },
      '--cloud-endpoints: alibaba.cr.url=https://x.example/p must',
    ],
    [
      'a url with a query',
      { alibaba: { cr: { url: 'https://x?y' } } },
      '--cloud-endpoints: alibaba.cr.url=https://x?y must',
    ],
    [
      'another scheme',
      { alibaba: { cr: { url: 'file:///etc' } } },
      '--cloud-endpoints: alibaba.cr.url=file:///etc must',
    ],
    ['authorities that cannot be read', { alibaba: { cr: { caFile: join(folder, 'no') } } }, 'cannot be read (ENOENT)'],
  ])('%s', (_, input, expected) => {
    const { issues } = parse(input);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toContain(expected);
  });

  test('a file whose JSON is no object', () => {
    expect(parse(file('list.json', '[]')).issues).toEqual([
      '--cloud-endpoints: must be an object: cloud, service, endpoint',
    ]);
    expect(parse(file('broken.json', '{')).issues[0]).toContain('syntax error');
  });

  test('are all named at once', () => {
    expect(parse({ a: 1, alibaba: { c: 2, cr: { url: 'x', host: 3, what: 4 } } }).issues).toHaveLength(7);
  });
});
