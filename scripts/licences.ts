// Which packages are really in the bundle, and under which licences: for the image's licences file and its bill of materials.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package of which at least one byte is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As the package says, mostly an SPDX expression. */
  readonly license: string;
  /** Of the package's archive, as in the lock file: `sha512-…`. */
  readonly integrity: string;
  /** Where it is installed: `node_modules/a/node_modules/b`. */
  readonly place: string;
}

/** What esbuild says of its outputs, as far as it is read. */
export interface Outputs {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type: string };
}

const PLACE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/** The packages of a bundle, by place. Throws when one names no licence, or is not in the lock file. */
export function bundledPackages({ outputs }: Outputs): readonly BundledPackage[] {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
  };
  const places = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? placeOf(file) : [])),
  );
  return [...new Set(places)].sort().map((place) => {
    const { name, version, license } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as PackageJson;
    const licence = typeof license === 'object' ? license.type : license;
    const integrity = lock.packages[place]?.integrity;
    if (licence === undefined)
      throw new Error(`${place}/package.json names no licence: look whether it may be shipped`);
    if (integrity === undefined) throw new Error(`package-lock.json has no integrity for ${place}: run npm install`);
    return { name, version, license: licence, integrity, place };
  });
}

/** As the lock file names it, also where the folder of the packages is a link to another place. */
function placeOf(file: string): readonly string[] {
  return PLACE.exec(file.slice(Math.max(0, file.indexOf('node_modules/')))) ?? [];
}

/** Writes the project's licence, the texts of all licences, and the list of the packages into a folder, which is made. */
export function writeLicences(folder: string, packages: readonly BundledPackage[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'LICENSE'), readFileSync('LICENSE'));
  writeFileSync(join(folder, 'THIRD-PARTY.txt'), packages.map(licenceText).join(`\n${'='.repeat(80)}\n\n`));
  writeFileSync(join(folder, 'packages.json'), `${JSON.stringify(packages, undefined, 2)}\n`);
}

function licenceText({ name, version, license, place }: BundledPackage): string {
  const texts = readdirSync(place)
    .filter((file) => LICENCE_FILE.test(file))
    .sort()
    .map((file) => readFileSync(join(place, file), 'utf8').trim());
  const text = texts.length === 0 ? 'The package brings no text of its licence.' : texts.join('\n\n');
  return `${name} ${version}\nLicence: ${license}\n\n${text}\n`;
}
