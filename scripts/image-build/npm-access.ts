// How this machine reaches npm, as two files that the build sees while it installs packages and that no layer holds.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from './build-facts.ts';
import { outputOf } from './output-of.ts';

/** Files for the secrets `npmrc` and `npm-ca` of the Dockerfile, and npm's cache on this machine. */
export interface NpmAccess {
  readonly npmrc: string;
  readonly ca: string;
  readonly cache: string;
}

/** Settings that say how npm is reached. */
const REACHING = ['registry', 'proxy', 'https-proxy', 'noproxy'];

/** Settings of this machine that mean nothing, or something else, inside of the build. */
const LOCAL =
  /^\s*(cafile|cache|prefix|nodedir|globalconfig|userconfig|registry|proxy|https-proxy|noproxy|ca)\s*(\[\])?=/;

/** Writes them into a folder. Logins of the user's npmrc go along; certificates that this machine trusts do too. */
export async function writeNpmAccess(folder: string, env: NodeJS.ProcessEnv = process.env): Promise<NpmAccess> {
  const settings = await readSettings(['userconfig', 'cafile', 'cache', ...REACHING]);
  const read = (file: string | undefined) => (file === undefined ? '' : readFile(file, 'utf8').catch(() => ''));
  const own = (await read(settings.get('userconfig'))).split('\n').filter((line) => !LOCAL.test(line));
  const ca = await read(settings.get('cafile') ?? env.NODE_EXTRA_CA_CERTS ?? env.SSL_CERT_FILE);
  const lines = [
    ...own,
    ...REACHING.flatMap((name) => (settings.has(name) ? [`${name}=${settings.get(name) ?? ''}`] : [])),
    ...(ca === '' ? [] : ['cafile=/run/secrets/npm-ca']),
    'prefer-offline=true',
  ];
  const access = { npmrc: path.join(folder, 'npmrc'), ca: path.join(folder, 'npm-ca') };
  await writeFile(access.npmrc, `${lines.join('\n')}\n`, { mode: 0o600 });
  await writeFile(access.ca, ca, { mode: 0o600 });
  const cache = settings.get('cache') ?? path.join(folder, 'npm-cache');
  await mkdir(cache, { recursive: true });
  return { ...access, cache };
}

/** Settings of npm that have a value, by name. */
async function readSettings(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const lines = (await outputOf('npm', ['config', 'get', ...names], ROOT)).split('\n');
  const pairs = lines.flatMap((line) => {
    const [, name = '', value = ''] = /^([\w-]+)=(.*)$/.exec(line) ?? [];
    return ['', 'null', 'undefined'].includes(value) ? [] : [[name, value] as const];
  });
  return new Map(pairs);
}
