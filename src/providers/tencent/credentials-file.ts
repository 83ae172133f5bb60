// A key in the file of Tencent Cloud's own tools: `[default]` of an ini file, at one of three places (tcr.md section 14).
import { ProviderError } from '../../core/errors.ts';
import { shortDigest } from '../../core/short-digest.ts';
import { AbsentIdentity } from '../first-identity.ts';
import type { ProviderWorld } from '../provider.ts';
import type { TencentIdentity } from './identity.ts';

const VARIABLE = 'TENCENTCLOUD_CREDENTIALS_FILE';
const IN_HOME = '.tencentcloud/credentials';
const OF_SYSTEM = '/etc/tencentcloud/credentials';
const SECTION = 'default';
const FORM = 'write `[default]`, `secret_id = …` and `secret_key = …`, each on a line of its own';

/** Builds the identity of the key in the file. */
export function createCredentialsFileIdentity(): TencentIdentity {
  return {
    key: 'credentials-file',
    async fetchKey(world, _place, signal) {
      const { path, text } = await readFirst(world);
      const { secret_id: secretId, secret_key: secretKey, token } = sectionOf(text, SECTION);
      if (!secretId || !secretKey) throw incomplete(path, { secret_id: secretId, secret_key: secretKey });
      const value = { secretId, secretKey, ...(token ? { token } : {}) };
      const secrets = Object.values(value);
      const held = { value, issuedAt: world.now(), expiresAt: undefined, secrets };
      // Registers what is in it; another text is another key.
      const name = `tencent/credentials-file/${shortDigest(secrets.join('\n'))}`;
      const key = await world.identity(name, () => Promise.resolve(held), signal);
      return { ...key, origin: `the file ${path}`, account: `file ${path}` };
    },
  };
}

interface CredentialsFile {
  readonly path: string;
  /** Secret. */
  readonly text: string;
}

/** The named file, which must be there; else the first of the others. */
async function readFirst(world: Pick<ProviderWorld, 'readFile' | 'env'>): Promise<CredentialsFile> {
  const { [VARIABLE]: named, HOME: home } = world.env;
  const paths = named === undefined ? [...(home === undefined ? [] : [`${home}/${IN_HOME}`]), OF_SYSTEM] : [named];
  const failures: string[] = [];
  for (const path of paths) {
    try {
      return { path, text: await world.readFile(path) };
    } catch (error) {
      // One that is there and cannot be read now must not mean another key.
      if (!(error instanceof ProviderError) || error.cause !== undefined) throw error;
      failures.push(error.message);
    }
  }
  const cure =
    named === undefined ? `mount it there, or name its path in ${VARIABLE}` : `mount it there, or correct ${VARIABLE}`;
  throw new AbsentIdentity(`there is no credentials file (${failures.join('; ')}): ${cure}`, {
    isHalf: named !== undefined,
  });
}

/** What stands under `[name]`, by key in lower case; the last of several wins, as in the tools. */
function sectionOf(text: string, name: string): Readonly<Record<string, string | undefined>> {
  const values = new Map<string, string>();
  let isInside = false;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const header = /^\s*\[([^\]]*)\]/.exec(line)?.[1];
    if (header !== undefined) isInside = header.trim().toLowerCase() === name;
    const [, key, value = ''] = /^\s*([\w.-]+)\s*=(.*)$/.exec(line) ?? [];
    if (isInside && key !== undefined) values.set(key.toLowerCase(), unquoted(value.trim()));
  }
  return Object.fromEntries(values);
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
}

function incomplete(path: string, values: Readonly<Record<string, string | undefined>>): AbsentIdentity {
  const missing = Object.keys(values).filter((key) => !values[key]);
  return new AbsentIdentity(
    `The file ${path} has no ${missing.join(' and no ')} in its section [${SECTION}]: ${FORM}`,
    { isHalf: true },
  );
}
