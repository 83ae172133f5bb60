// The bill of materials of a small image: it is what the schema of the format says, and holds everything that is in the image.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildBillOfMaterials } from '../../../scripts/release-build/bill-of-materials.ts';
import { billProblems } from '../../support/bill-schema.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const facts = { version: '1.2.3', revision: 'a'.repeat(40), epoch: 0 };
const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
const FILES: Readonly<Record<string, string>> = {
  'nodejs/bin/node': 'https://nodejs.org/download/release/v24.1.0/',
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'var/lib/dpkg/status.d/libc6': 'Package: libc6\nVersion: 2.36-9+deb12u10\nArchitecture: amd64\n',
  'licenses/packages.json': JSON.stringify([
    { name: '@scope/a', version: '1.0.0', license: 'MIT', integrity, place: 'node_modules/@scope/a' },
    { name: 'b', version: '2.0.0', license: 'Some (strange) licence', integrity, place: 'node_modules/b' },
  ]),
  'app/main.mjs': 'export {};\n',
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'bill-'));
  for (const [name, content] of Object.entries(FILES)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
});
afterAll(() => rmSync(root, { recursive: true }));

test('is a bill as the schema of CycloneDX 1.6 says, and names every package and file', async () => {
  const text = await buildBillOfMaterials({ root, digest: DIGEST, facts });
  expect(await billProblems(text)).toBeUndefined();
  const { components } = JSON.parse(text) as { components: readonly { type: string; name: string }[] };
  expect(components.filter(({ type }) => type === 'file').map(({ name }) => name)).toEqual(
    Object.keys(FILES)
      .map((name) => `/${name}`)
      .sort(),
  );
  expect(components.filter(({ type }) => type !== 'file').map(({ name }) => name)).toEqual([
    ...['debian', 'node', 'libc6', '@scope/a', 'b'],
  ]);
});

test('the schema finds a bill that is none', async () => {
  const text = await buildBillOfMaterials({ root, digest: DIGEST, facts });
  expect(await billProblems(text.replace('"operating-system"', '"system"'))).toBeDefined();
  expect(await billProblems(text.replace('"components"', '"parts"'))).toBeDefined();
});
