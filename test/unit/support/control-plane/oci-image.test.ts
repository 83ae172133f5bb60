import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { buildDockerArchive, buildImage, digestOf } from '../../../support/control-plane/oci-image.ts';

const image = buildImage({
  files: [
    { path: 'bin/app', content: Buffer.from('program'), mode: 0o755 },
    { path: 'name.txt', content: Buffer.alloc(512, 'x') },
  ],
  entrypoint: ['/bin/app', 'run'],
});

test('an image’s config names its entrypoint and the digest of its unpacked layer', () => {
  expect(JSON.parse(image.config.toString())).toMatchObject({
    os: 'linux',
    config: { Entrypoint: ['/bin/app', 'run'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(image.tar)] },
  });
  expect(gunzipSync(image.layer)).toEqual(image.tar);
});

test('the same files are the same bytes', () => {
  expect(buildImage({ files: [{ path: 'a', content: Buffer.from('a') }] })).toEqual(
    buildImage({ files: [{ path: 'a', content: Buffer.from('a') }] }),
  );
});

test('tar reads the archive and the layer in it', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'oci-image-'));
  try {
    const tar = (...args: readonly string[]) => execFileSync('tar', args, { cwd: folder, encoding: 'utf8' });
    writeFileSync(path.join(folder, 'archive.tar'), buildDockerArchive('example/app:1.0', image));
    tar('-xf', 'archive.tar');
    expect(JSON.parse(tar('-xOf', 'archive.tar', 'manifest.json'))).toEqual([
      { Config: 'config.json', RepoTags: ['example/app:1.0'], Layers: ['layer.tar'] },
    ]);
    expect(tar('-tvf', 'layer.tar').replaceAll(/ +/g, ' ')).toMatch(
      /^-rwxr-xr-x 0\/0 7 .* bin\/app\n-rw-r--r-- 0\/0 512 .* name.txt\n$/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
