// Whether this machine can run a node, found out by doing what one does, on a small scale.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { installHint, installPackages } from '../../scripts/prepare.mjs';
import { createCgroups } from './cgroups.ts';
import { findMissingPackages, PATH_WITH_SBIN } from './packages.ts';
import type { RunFolder } from '../support/control-plane/run-folder.ts';
import { createNodeFolder } from './node-folder.ts';

/** The answer: `undefined` = it can; else a sentence that says what is in the way. */
export type Obstacle = string | undefined;

/** Looks for what a node needs. Where `CI` is set and we are root, missing Debian packages are installed first. */
export async function probeMachine(): Promise<Obstacle> {
  if (process.platform !== 'linux') return `a node needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'not root: namespaces, mounts and cgroups need it';
  const missing = await findMissingPackages();
  if (missing.length > 0 && !installPackages(missing)) {
    return `missing Debian packages: ${missing.join(', ')}; install them${installHint(missing)}`;
  }
  const left = await findMissingPackages();
  if (left.length > 0) return `missing although they are installed: ${left.join(', ')}`;
  const folder = await createNodeFolder();
  try {
    return (await probeCgroups()) ?? (await probeNamespaces(folder));
  } finally {
    await folder.remove();
  }
}

async function probeCgroups(): Promise<Obstacle> {
  try {
    const cgroups = await createCgroups(`registry-credential-helper-probe-${randomBytes(4).toString('hex')}`);
    await cgroups.remove();
    return undefined;
  } catch (error) {
    return `cgroups cannot be made: ${(error as Error).message}`;
  }
}

// The same steps as in namespaces.sh, as far as a machine may refuse them.
const STEPS = `
set -e
step='make mounts private'
trap '[ "$step" = done ] || echo "$step" >&2' EXIT
mount --make-rprivate /
step='mount an overlay'
mkdir -p "$0/lower" "$0/upper" "$0/work" "$0/merged"
overlay() { mount -t overlay overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" "$0/merged" 2>/dev/null; }
overlay || { mount -t tmpfs tmpfs "$0"; mkdir "$0/lower" "$0/upper" "$0/work" "$0/merged"; overlay; }
step='bring the loopback interface up'
ip link set lo up
step='add a bridge'
ip link add name cni0 type bridge
step='set a sysctl of the network'
echo 1 >/proc/sys/net/ipv4/ip_forward
step='translate addresses with iptables'
iptables -t nat -A PREROUTING -d 192.0.2.1 -p tcp -j DNAT --to-destination 127.0.0.1
step=done
`;

function probeNamespaces(folder: RunFolder): Promise<Obstacle> {
  const flags = ['--mount', '--net', '--pid', '--ipc', '--uts', '--cgroup', '--fork', '--kill-child', '--mount-proc'];
  const env = { ...process.env, PATH: PATH_WITH_SBIN };
  return new Promise((resolve) => {
    execFile('unshare', [...flags, '/bin/sh', '-c', STEPS, folder.path], { env }, (error, _, stderr) => {
      const said = stderr.trim().replaceAll('\n', '; ');
      resolve(error === null ? undefined : `in new namespaces it was refused: ${said === '' ? error.message : said}`);
    });
  });
}
