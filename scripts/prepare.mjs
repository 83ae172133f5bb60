// Brings a fresh clone to where it can run: checks Node and npm, installs the dependencies of the lock file. Runs on any Node ≥ 20.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the project. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The project's own Node 24, there once the dependencies are installed. */
export const node = join(root, 'node_modules', '.bin', 'node');

/** Environment in which the project's own Node and tools come first. */
export const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
};

/** Installs dependencies unless those of this very lock file are there. Ends the process with a sentence when it cannot. */
export function prepare() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    fail(
      `Node ${process.versions.node} is too old: install Node 20 or newer; Node 24 then comes with the dependencies.`,
    );
  needOpenssl();
  if (isInstalled()) return;
  process.stderr.write('Installing dependencies …\n');
  const startedAt = Date.now();
  const { status, error, stdout, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (error !== undefined) fail('npm was not found: install npm 10 or newer.');
  if (status !== 0) fail(`npm ci failed:\n${stdout}${stderr}`);
  process.stderr.write(`Dependencies installed in ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
}

/** True when node_modules holds what the lock file names: npm writes down there what it installed. */
function isInstalled() {
  const installed = readLock(join('node_modules', '.package-lock.json'));
  const wanted = readLock('package-lock.json');
  if (installed === undefined || wanted === undefined || !existsSync(node)) return false;
  const isRight = ([place, { version, optional, devOptional }]) =>
    place === '' ||
    installed[place]?.version === version ||
    (installed[place] === undefined && (optional || devOptional));
  return Object.entries(wanted).every(isRight) && Object.keys(installed).every((place) => place in wanted);
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** The simulated clouds and the control plane make their certificates with openssl. */
function needOpenssl() {
  if (spawnSync('openssl', ['version']).status === 0 || installPackages(['openssl'])) return;
  fail(`openssl was not found: install it${installHint(['openssl'])}.`);
}

/**
 * Installs packages of Debian; true when they are there then. Nobody's machine is changed unasked: only root on one that exists for
 * the tests, which CI in its environment says.
 */
export function installPackages(names) {
  if (process.env.CI === undefined || process.getuid?.() !== 0 || !hasApt()) return false;
  process.stderr.write(`Installing ${names.join(', ')} …\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, stdio: 'ignore' }).status === 0;
  apt('update');
  return apt('-y', '--no-install-recommends', 'install', ...names);
}

/** What a person types to install packages of Debian, as the end of a sentence; empty where there is no apt. */
export function installHint(names) {
  return hasApt() ? ` with: apt-get install ${names.join(' ')}` : '';
}

function hasApt() {
  return spawnSync('apt-get', ['--version']).status === 0;
}

/** Runs a command in the project with its own Node first; returns its exit code. */
export function run(command, args, options = {}) {
  const { status, signal } = spawnSync(command, args, { cwd: root, env: environment, stdio: 'inherit', ...options });
  return status ?? (signal === 'SIGINT' ? 130 : 1);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
