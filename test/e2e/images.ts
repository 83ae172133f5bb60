// The images of the test's own Pods: one static program, no container engine.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildDockerArchive, buildImage, type LocalImage } from '../support/control-plane/oci-image.ts';
import { BUSYBOX } from './packages.ts';

/** An image that waits until it is killed. `text` is a file of its own in it: another text is another image. */
export async function buildWaitingImage(text: string): Promise<LocalImage> {
  return buildImage({
    files: [
      { path: 'bin/busybox', content: await readFile(BUSYBOX), mode: 0o755 },
      { path: 'name.txt', content: Buffer.from(text) },
    ],
    entrypoint: ['/bin/busybox', 'sleep', '2147483647'],
  });
}

/** Writes an image to a file that container runtimes can load; returns its path. */
export async function writeArchive(folder: string, name: string, image: LocalImage): Promise<string> {
  const file = path.join(folder, `${name.replaceAll(/[^\w.-]/g, '-')}.tar`);
  await writeFile(file, buildDockerArchive(name, image));
  return file;
}
