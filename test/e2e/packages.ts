// What a node needs of the operating system, by Debian's packages.
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';

/** A program or file that must be there, and the package that brings it. */
interface Need {
  readonly package: string;
  /** Commands of the PATH, or absolute paths: one of them will do. */
  readonly files: readonly string[];
}

/** Statically linked: it runs in images that hold nothing else. */
export const BUSYBOX = '/bin/busybox';

/** Where Debian puts the network plugins of containers. */
export const CNI_FOLDER = '/usr/lib/cni';

const NEEDS: readonly Need[] = [
  { package: 'containerd', files: ['containerd'] },
  { package: 'containerd', files: ['ctr'] },
  { package: 'runc', files: ['runc'] },
  { package: 'containernetworking-plugins', files: [`${CNI_FOLDER}/bridge`] },
  { package: 'busybox-static', files: [BUSYBOX] },
  { package: 'iptables', files: ['iptables'] },
  { package: 'iproute2', files: ['ip'] },
  { package: 'util-linux', files: ['unshare'] },
  // The image is built by whichever is there.
  { package: 'buildah', files: ['buildah', 'podman', 'docker'] },
];

/** Folders of administrators' commands, which not everyone has in the PATH. */
export const PATH_WITH_SBIN = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

/** The packages of which something is missing; empty = nothing is. */
export async function findMissingPackages(): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const { package: name, files } of NEEDS) {
    if (!(await Promise.all(files.map(isThere))).includes(true)) missing.add(name);
  }
  // Another package brings a file of the same name that needs libraries.
  if (await readFile(BUSYBOX).then(needsLoader, () => false)) missing.add('busybox-static');
  return [...missing];
}

/** True for a 64-bit ELF program that names a loader (PT_INTERP), as those do that need shared libraries. */
export function needsLoader(program: Buffer): boolean {
  const [INTERP, headersAt, sizeAt, countAt] = [3, 0x20, 0x36, 0x38];
  const [first, size] = [Number(program.readBigUInt64LE(headersAt)), program.readUInt16LE(sizeAt)];
  const headers = Array.from({ length: program.readUInt16LE(countAt) }, (_, index) => first + index * size);
  return headers.some((at) => program.readUInt32LE(at) === INTERP);
}

async function isThere(file: string): Promise<boolean> {
  const candidates = path.isAbsolute(file)
    ? [file]
    : PATH_WITH_SBIN.split(':').map((folder) => path.join(folder, file));
  const found = await Promise.all(
    candidates.map((candidate) =>
      access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
