// What an image and a chart say about themselves: version, revision, time.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { outputOf } from './output-of.ts';

/** Root of the project. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What is built. */
export interface BuildFacts {
  readonly version: string;
  /** The commit; `-dirty` behind it when files differ from it, `unknown` outside of a repository. */
  readonly revision: string;
  /** Seconds since 1970 that everything made bears as its time: `SOURCE_DATE_EPOCH`, else when the commit was made. */
  readonly epoch: number;
}

/** Reads them from package.json, git and the environment. Throws when `SOURCE_DATE_EPOCH` is no number of seconds. */
export async function readBuildFacts(env: NodeJS.ProcessEnv = process.env): Promise<BuildFacts> {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const git = (...args: readonly string[]) => outputOf('git', args, ROOT).catch(() => undefined);
  const commit = await git('rev-parse', 'HEAD');
  const changes = await git('status', '--porcelain');
  const epoch = env.SOURCE_DATE_EPOCH ?? (await git('log', '-1', '--format=%ct')) ?? '0';
  if (!/^\d{1,11}$/.test(epoch))
    throw new Error(`SOURCE_DATE_EPOCH is ${JSON.stringify(epoch)}: it has to be a number of seconds since 1970`);
  return {
    version,
    revision: commit === undefined ? 'unknown' : changes === '' ? commit : `${commit}-dirty`,
    epoch: Number(epoch),
  };
}
