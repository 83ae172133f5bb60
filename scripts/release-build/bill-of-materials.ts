// A CycloneDX bill of what is really in an image: packages of the bundle, Node, packages and files of the base image.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { BundledPackage } from '../licences.ts';
import type { BuildFacts } from '../image-build/build-facts.ts';
import { listFiles, sha256Of } from '../image-build/contents.ts';

/** What the bill is of. */
export interface BillSubject {
  /** The image's files, unpacked. */
  readonly root: string;
  /** Digest of the image's manifest. */
  readonly digest: string;
  readonly facts: BuildFacts;
}

/** A part of an image, in the words of CycloneDX 1.6. */
interface Component {
  readonly type: 'application' | 'container' | 'file' | 'library' | 'operating-system';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: 'SHA-256' | 'SHA-512'; readonly content: string }[];
  readonly licenses?: readonly unknown[];
}

const NAME = 'registry-credential-helper';
const NODE = '/nodejs/bin/node';
/** Node knows from where it was downloaded. */
const NODE_RELEASE = /nodejs\.org\/download\/release\/v(\d+\.\d+\.\d+)\//;
/** Identifiers of SPDX among what packages say; what else they say is a name. */
const SPDX = /^(MIT|ISC|Apache-2\.0|0BSD|BSD-[23]-Clause|BlueOak-1\.0\.0|PSF-2\.0|Python-2\.0|Unlicense|CC0-1\.0)$/;

/** The bill as JSON text; the same for the same image. Throws when the image is none of ours. */
export async function buildBillOfMaterials({ root, digest, facts }: BillSubject): Promise<string> {
  const hex = digest.replace('sha256:', '');
  const node = readNode(root);
  const system = readSystem(root);
  const files: Component[] = [];
  for (const file of listFiles(root)) files.push(fileComponent(file.path, await sha256Of(path.join(root, file.path))));
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidFrom(hex)}`,
    version: 1,
    metadata: {
      timestamp: new Date(facts.epoch * 1000).toISOString(),
      component: {
        type: 'container',
        'bom-ref': `pkg:oci/${NAME}@${encodeURIComponent(digest)}`,
        name: NAME,
        version: facts.version,
        purl: `pkg:oci/${NAME}@${encodeURIComponent(digest)}`,
        hashes: [{ alg: 'SHA-256', content: hex }],
        licenses: [{ license: { id: 'Apache-2.0' } }],
      } satisfies Component,
    },
    components: [system.component, node, ...system.packages, ...bundled(root), ...files],
  };
  return `${JSON.stringify(bill, undefined, 1)}\n`;
}

/** The packages of the bundle, which the build wrote down. */
function bundled(root: string): readonly Component[] {
  const text = readFileSync(path.join(root, 'licenses', 'packages.json'), 'utf8');
  const components = (JSON.parse(text) as readonly BundledPackage[]).map(({ name, version, license, integrity }) => {
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
    const named = SPDX.test(license) ? { id: license } : { name: license };
    return [
      purl,
      {
        type: 'library',
        'bom-ref': purl,
        ...{ name, version, purl },
        hashes: [{ alg: 'SHA-512', content }],
        licenses: [{ license: named }],
      },
    ] as const satisfies readonly [string, Component];
  });
  // One version may be there twice, below two packages that want it.
  return [...new Map<string, Component>(components).values()];
}

function readNode(root: string): Component {
  const version = NODE_RELEASE.exec(readFileSync(path.join(root, NODE), 'latin1'))?.[1];
  if (version === undefined) throw new Error(`${NODE} of the image does not say of which version it is`);
  const purl = `pkg:generic/node@${version}?download_url=https://nodejs.org/download/release/v${version}/`;
  return { type: 'application', 'bom-ref': purl, name: 'node', version, purl, licenses: [{ license: { id: 'MIT' } }] };
}

/** Distribution and packages, as images of Debian without dpkg keep them: one status file for each package. */
function readSystem(root: string): { readonly component: Component; readonly packages: readonly Component[] } {
  const release = fieldsOf(readFileSync(path.join(root, 'etc', 'os-release'), 'utf8'), '=');
  const [id = 'linux', version = ''] = [release.get('ID'), release.get('VERSION_ID')?.replaceAll('"', '')];
  const folder = path.join(root, 'var', 'lib', 'dpkg', 'status.d');
  const packages = readdirSync(folder)
    .sort()
    .flatMap((file): readonly Component[] => {
      const status = fieldsOf(readFileSync(path.join(folder, file), 'utf8'), ':');
      const [name, version, architecture] = ['Package', 'Version', 'Architecture'].map((field) => status.get(field));
      if (name === undefined || version === undefined) return [];
      const distro = `${id}-${release.get('VERSION_ID')?.replaceAll('"', '') ?? ''}`;
      const purl = `pkg:deb/${id}/${name}@${encodeURIComponent(version)}?arch=${architecture ?? 'all'}&distro=${distro}`;
      return [{ type: 'library', 'bom-ref': purl, name, version, purl }];
    });
  return { component: { type: 'operating-system', 'bom-ref': `os:${id}`, name: id, version }, packages };
}

function fieldsOf(text: string, separator: '=' | ':'): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line): readonly [string, string][] => {
      const at = line.indexOf(separator);
      return at <= 0 || line.startsWith(' ') ? [] : [[line.slice(0, at), line.slice(at + 1).trim()]];
    }),
  );
}

function fileComponent(name: string, sha256: string): Component {
  return { type: 'file', 'bom-ref': `file:${name}`, name, hashes: [{ alg: 'SHA-256', content: sha256 }] };
}

/** A name-based identifier (version 8 of RFC 9562) from a digest. */
function uuidFrom(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
