// Base images for machines that reach no registry: the project's Node and files of this Debian. The Dockerfile is the same.
import {
  chmodSync,
  cpSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { installHint } from '../prepare.mjs';
import { archive, CONFIG, MANIFEST, putBlob, writeIndex } from './layout.ts';
import { outputOf } from './output-of.ts';

/** Names of the two images, as the Dockerfile's arguments `BUILD_IMAGE` and `RUN_IMAGE`. */
export const STAND_INS = {
  build: 'localhost/registry-credential-helper/stand-in-build:latest',
  run: 'localhost/registry-credential-helper/stand-in-run:latest',
} as const;

const NODE = '/nodejs/bin/node';
const ACCOUNTS = [
  ['root', 0, '/root'],
  ['nobody', 65534, '/nonexistent'],
  ['nonroot', 65532, '/home/nonroot'],
] as const;
const AUTHORITIES = '/usr/share/ca-certificates/mozilla';

/**
 * Makes both images as layouts below a folder; returns where, by name. Throws when this is no Debian, or Node is not of version 24.
 */
export async function makeStandIns(folder: string): Promise<Readonly<Record<string, string>>> {
  if (!process.versions.node.startsWith('24.'))
    throw new Error(`Stand-in base images hold the Node that runs this, which is ${process.versions.node}, not 24`);
  const run = path.join(folder, 'run-files');
  const node = realpathSync(process.execPath);
  put(run, NODE, node);
  putText(run, '/nodejs/LICENSE', nodeLicence(node));
  await putLibraries(run, [node]);
  putSurroundings(run);

  const build = path.join(folder, 'build-files');
  cpSync(run, build, { recursive: true });
  const shell = ['/bin/sh', '/usr/bin/env'];
  for (const program of shell) put(build, program, realpathSync(program));
  await putLibraries(build, shell);
  // By the program itself: `npm root` goes by the Node that is found first, which need not be the one that npm came with.
  const npm = path.dirname(path.dirname(realpathSync((await outputOf('sh', ['-c', 'command -v npm'])).trim())));
  cpSync(npm, path.join(build, 'usr/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', path.join(build, 'usr/bin/npm'));
  symlinkSync(NODE, path.join(build, 'usr/bin/node'));
  mkdirSync(path.join(build, 'tmp'));

  return {
    [STAND_INS.run]: await makeLayout(run, path.join(folder, 'run')),
    [STAND_INS.build]: await makeLayout(build, path.join(folder, 'build')),
  };
}

/** The licences of Node and of what is in it, which the package of each platform brings. */
function nodeLicence(node: string): string {
  return readFileSync(createRequire(node).resolve(`node-${process.platform}-${process.arch}/LICENSE`), 'utf8');
}

/** Shared libraries of programs, at the paths at which these look for them, and what Debian knows of the packages. */
async function putLibraries(root: string, programs: readonly string[]): Promise<void> {
  const listed = (await outputOf('ldd', programs)).matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm);
  const libraries = [...new Set([...listed].map(([, file = '']) => file))];
  for (const library of libraries) put(root, library, realpathSync(library));
  const owners = await Promise.all([...libraries, path.join(AUTHORITIES, firstAuthority())].map(packageOf));
  for (const name of new Set(owners)) {
    putText(root, `/var/lib/dpkg/status.d/${name}`, `${await outputOf('dpkg-query', ['--status', name])}\n`);
    putText(root, `/usr/share/doc/${name}/copyright`, readFileSync(`/usr/share/doc/${name}/copyright`, 'utf8'));
  }
}

/** The package that a file came with. Debian's database knows libraries below /usr by that name, the loader does not. */
async function packageOf(file: string): Promise<string> {
  const found = await outputOf('dpkg-query', ['--search', file])
    .catch(() => outputOf('dpkg-query', ['--search', `/usr${file}`]))
    .catch(() => '');
  const name = /^([^:\s,]+)/.exec(found)?.[1];
  if (name === undefined)
    throw new Error(`No package of Debian has ${file}: stand-in base images can be made on Debian only`);
  return name;
}

/** What programs expect to find beside libraries: accounts, how names are looked up, certificate authorities. */
function putSurroundings(root: string): void {
  putText(
    root,
    '/etc/passwd',
    ACCOUNTS.map(([name, id, home]) => `${name}:x:${id}:${id}::${home}:/sbin/nologin\n`).join(''),
  );
  putText(root, '/etc/group', ACCOUNTS.map(([name, id]) => `${name}:x:${id}:\n`).join(''));
  putText(root, '/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  putText(root, '/etc/os-release', readFileSync('/etc/os-release', 'utf8'));
  // The authorities of the package alone: those that were added on this machine are nobody else's.
  const authorities = authorityFiles().map((file) => readFileSync(path.join(AUTHORITIES, file), 'utf8'));
  putText(root, '/etc/ssl/certs/ca-certificates.crt', authorities.join(''));
}

function authorityFiles(): readonly string[] {
  try {
    return readdirSync(AUTHORITIES).sort();
  } catch {
    throw new Error(`${AUTHORITIES} was not found: install it${installHint(['ca-certificates'])}.`);
  }
}

function firstAuthority(): string {
  return authorityFiles()[0] ?? '';
}

function put(root: string, place: string, from = ''): void {
  const target = path.join(root, place);
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(from, target);
  chmodSync(target, 0o755);
}

function putText(root: string, place: string, text: string): void {
  const target = path.join(root, place);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
  chmodSync(target, 0o644);
}

/** A layout of one image with one layer, which holds a folder's files. */
async function makeLayout(files: string, folder: string): Promise<string> {
  const tar = `${files}.tar`;
  await archive(files, tar);
  const layer = await putBlob(folder, 'application/vnd.oci.image.layer.v1.tar', readFileSync(tar));
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: ['PATH=/usr/bin:/bin:/nodejs/bin', 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'] },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  };
  const described = await putBlob(folder, CONFIG, Buffer.from(JSON.stringify(config)));
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: described, layers: [layer] }),
  );
  await writeIndex(folder, await putBlob(folder, MANIFEST, manifest), 'stand-in:latest');
  return folder;
}
