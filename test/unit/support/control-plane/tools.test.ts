import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Progress } from '../../../support/control-plane/progress.ts';
import { readToolBuild, toolsCacheFolder } from '../../../support/control-plane/tool-table.ts';
import { findTools } from '../../../support/control-plane/tools.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tools-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('finding tools', () => {
  test('says in two lines what to do when there is neither a binary nor Go', async () => {
    const env = { REGISTRY_CREDENTIAL_HELPER_CACHE: folder, PATH: folder };
    await expect(findTools(['etcd', 'kube-apiserver'], { env })).rejects.toThrow(
      'Not found: etcd, kube-apiserver; and no Go to build them with.\n' +
        'Install Go 1.26 or newer (https://go.dev/dl/), or set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver.',
    );
  });

  test('prefers KUBEBUILDER_ASSETS, and takes from the cache what is not there', async () => {
    const env = { KUBEBUILDER_ASSETS: path.join(folder, 'assets'), REGISTRY_CREDENTIAL_HELPER_CACHE: folder, PATH: '' };
    const cache = toolsCacheFolder(env);
    await makeProgram(path.join(env.KUBEBUILDER_ASSETS, 'etcd'));
    await makeProgram(path.join(cache, readToolBuild('etcd').cacheName));
    await makeProgram(path.join(cache, readToolBuild('kubectl').cacheName));
    expect(await findTools(['etcd', 'kubectl'], { env })).toEqual({
      etcd: path.join(folder, 'assets', 'etcd'),
      kubectl: path.join(cache, readToolBuild('kubectl').cacheName),
    });
  });

  test('builds what is missing, once, also when two ask at the same time', async () => {
    const env = { ...(await fakeGo('echo built >"$out"; chmod +x "$out"')), REGISTRY_CREDENTIAL_HELPER_CACHE: folder };
    const told: string[] = [];
    const progress: Progress = (what) => ({
      done: () => void told.push(`built ${what}`),
      failed: () => void told.push(`failed ${what}`),
    });
    const [first, second] = await Promise.all([
      findTools(['etcd'], { env, progress }),
      findTools(['etcd'], { env, progress }),
    ]);
    expect(first.etcd).toBe(path.join(toolsCacheFolder(env), readToolBuild('etcd').cacheName));
    expect(second).toEqual(first);
    expect(told.filter((line) => line === 'built etcd v3.6.6')).toHaveLength(1);
    expect(await readdir(toolsCacheFolder(env))).toEqual([path.basename(first.etcd)]);
  });

  test('shows the end of the compiler output when a build fails, and leaves nothing behind', async () => {
    const env = { ...(await fakeGo('echo "x.go:1: broken" >&2; exit 1')), REGISTRY_CREDENTIAL_HELPER_CACHE: folder };
    await expect(
      findTools(['etcd'], { env, progress: () => ({ done: () => undefined, failed: () => undefined }) }),
    ).rejects.toThrow('Could not build etcd v3.6.6; the end of what go said:\nx.go:1: broken');
    expect(await readdir(toolsCacheFolder(env))).toEqual([]);
  });
});

/** A stand-in for the compiler, which gets the path of the output as `$out`. */
async function fakeGo(script: string): Promise<{ PATH: string }> {
  const bin = path.join(folder, 'bin');
  await makeProgram(
    path.join(bin, 'go'),
    `while [ "$#" -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done\nsleep 0.2\n${script}`,
  );
  return { PATH: `${bin}:${process.env.PATH ?? ''}` };
}

async function makeProgram(file: string, script = 'exit 0'): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}
