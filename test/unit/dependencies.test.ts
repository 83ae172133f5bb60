// docs/dependencies.md against what is installed: every package with its reason, its licence and its size, and nothing else.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { BUNDLE } from '../../scripts/bundle.ts';
import { bundledPackages } from '../../scripts/licences.ts';

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Licences that ask for no more than that they and the notices are kept, which the image does, as packages spell them. */
const FREE_TO_SHIP = [
  ...['0BSD', 'Apache-2.0', 'Apache License 2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'],
  'Unlicense',
];

const KIBIBYTE = 1024;
const { dependencies, devDependencies } = readJson('package.json') as PackageJson;
const lock = readJson('package-lock.json') as {
  readonly packages: Readonly<Record<string, { readonly license?: string }>>;
};
const page = readFileSync('docs/dependencies.md', 'utf8');
const rows = rowsOf('At run time');

test('every package that is shipped has a row with a reason, and every row a package', () => {
  expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(dependencies).sort());
  expect(rows.filter(([, why = '']) => why.length < 20)).toEqual([]);
});

test('every package for development is named, and nothing that is not there', () => {
  const named = rowsOf('For development', (cells) => [...(cells[0] ?? '').matchAll(/[^`,\s]+/g)].map(([name]) => name));
  expect(named.flat().sort()).toEqual(Object.keys(devDependencies).sort());
});

test.each(rows)('the licence of %s is the one of the lock file', (name = '', _why, licence) => {
  expect(licence).toBe(lock.packages[`node_modules/${name}`]?.license);
});

describe('the bundle', () => {
  const built = build({
    ...BUNDLE,
    ...{ entryPoints: ['src/main.ts'], outdir: 'dist', write: false, metafile: true },
    define: { __VERSION__: '"test"' },
  });

  test('holds as much of each package as its row says', async () => {
    const { metafile } = await built;
    const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
    // Not what is installed below a package: that is another one.
    const isOf = (name: string, file: string): boolean =>
      (file.split('node_modules/').at(-1) ?? '').startsWith(`${name}/`);
    const sizeOf = (name: string): number =>
      inputs.reduce((sum, [file, { bytesInOutput }]) => sum + (isOf(name, file) ? bytesInOutput : 0), 0) / KIBIBYTE;
    const wrong = rows.flatMap(([name = '', , , size]) => {
      const [said, is] = [Number(size), sizeOf(name)];
      return Math.abs(said - is) <= Math.max(2, is / 10) ? [] : [`${name}: ${is.toFixed(0)} KiB, not ${size}`];
    });
    expect(wrong).toEqual([]);
  });

  test('holds nothing under a licence that asks for more than its notices', async () => {
    const packages = bundledPackages((await built).metafile);
    expect(packages.length).toBeGreaterThan(rows.length);
    expect(packages.filter(({ license }) => !FREE_TO_SHIP.includes(license))).toEqual([]);
  });
});

/** The cells of the table below a heading, without that of the titles. */
function rowsOf(
  heading: string,
  read = (cells: readonly string[]): readonly string[] => [(cells[0] ?? '').replaceAll('`', ''), ...cells.slice(1)],
): (readonly string[])[] {
  const [, section = ''] = page.split(`## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    read(
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
  );
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
