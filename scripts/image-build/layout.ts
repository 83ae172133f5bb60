// An OCI image layout, the folder in which every engine hands over what it built: reading, unpacking, archives.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createRunFolder } from '../../test/support/control-plane/run-folder.ts';
import { outputOf } from './output-of.ts';

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const CONFIG = 'application/vnd.oci.image.config.v1+json';

/** Points to content by its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
}

/** The image of one platform. */
export interface PlatformImage {
  /** `linux/amd64`. */
  readonly platform: string;
  /** Of its manifest. */
  readonly descriptor: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** What a layout holds. */
export interface Layout {
  readonly folder: string;
  /** What gets the tag: the manifest of the image, or the index of those of several platforms. */
  readonly root: Descriptor;
  readonly images: readonly PlatformImage[];
}

/** The configuration of an image, as far as it is read. */
export interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  readonly created?: string;
  readonly config?: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
  };
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
}

/** Reads a layout that holds one image, of one or several platforms. Throws when it holds none or several. */
export function readLayout(folder: string): Layout {
  const { manifests } = JSON.parse(readFileSync(path.join(folder, 'index.json'), 'utf8')) as Index;
  const [root, another] = manifests;
  if (root === undefined || another !== undefined)
    throw new Error(`${folder} holds ${manifests.length} images: there has to be one`);
  const members = root.mediaType === INDEX ? (readJson(folder, root) as Index).manifests : [root];
  const images = members.map((descriptor): PlatformImage => {
    const { config, layers } = readJson(folder, descriptor) as Pick<PlatformImage, 'config' | 'layers'>;
    const { os, architecture } = readConfig(folder, { config });
    return { platform: `${os}/${architecture}`, descriptor, config, layers };
  });
  return { folder, root, images };
}

function readJson(folder: string, descriptor: Descriptor): unknown {
  return JSON.parse(readFileSync(blobFile(folder, descriptor), 'utf8'));
}

interface Index {
  readonly manifests: readonly Descriptor[];
}

/** Where a layout keeps content. */
export function blobFile(folder: string, { digest }: Pick<Descriptor, 'digest'>): string {
  return path.join(folder, 'blobs', ...digest.split(':'));
}

/** The configuration of an image in a layout. */
export function readConfig(folder: string, { config }: Pick<PlatformImage, 'config'>): ImageConfig {
  return readJson(folder, config) as ImageConfig;
}

/** `sha256:…` of content. */
export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Describes content. */
export function describe(mediaType: string, content: Buffer | string): Descriptor {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
}

/** Puts content into a layout. */
export async function putBlob(folder: string, mediaType: string, content: Buffer): Promise<Descriptor> {
  const descriptor = describe(mediaType, content);
  await mkdir(path.join(folder, 'blobs', 'sha256'), { recursive: true });
  await writeFile(blobFile(folder, descriptor), content);
  return descriptor;
}

/** Writes what makes a folder of contents a layout; the manifest bears names under which engines and containerd know it. */
export async function writeIndex(folder: string, root: Descriptor, reference?: string): Promise<void> {
  const { mediaType, digest, size } = root;
  const annotations = { 'org.opencontainers.image.ref.name': tagOf(reference), 'io.containerd.image.name': reference };
  const manifest = { mediaType, digest, size, ...(reference === undefined ? {} : { annotations }) };
  await writeFile(path.join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(
    path.join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [manifest] }),
  );
}

function tagOf(reference = ''): string {
  return /:([^:/]+)$/.exec(reference)?.[1] ?? 'latest';
}

/** Unpacks the files of an image into a folder, which is made; as root with owners and modes. */
export async function unpack(folder: string, image: PlatformImage, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const layer of image.layers)
    await outputOf('tar', [
      '--extract',
      '--preserve-permissions',
      '--file',
      blobFile(folder, layer),
      '--directory',
      target,
    ]);
}

/** Writes a layout as the archive that `oci-archive:` means. */
export async function writeOciArchive(layout: Layout, file: string, reference: string): Promise<void> {
  await writeIndex(layout.folder, layout.root, reference);
  await archive(layout.folder, file);
}

/** Writes a layout as the archive that `docker save` makes; for one platform only. */
export async function writeDockerArchive(layout: Layout, file: string, reference: string): Promise<void> {
  const [image, another] = layout.images;
  if (image === undefined || another !== undefined)
    throw new Error('A docker-archive holds one platform: use oci-archive, or build for one');
  const scratch = await createRunFolder('docker-archive');
  try {
    const { rootfs } = readConfig(layout.folder, image);
    const layers = rootfs.diff_ids.map((id) => `${id.replace('sha256:', '')}.tar`);
    const config = `${image.config.digest.replace('sha256:', '')}.json`;
    for (const [index, layer] of image.layers.entries()) {
      const content = await readFile(blobFile(layout.folder, layer));
      await writeFile(
        path.join(scratch.path, layers[index] ?? ''),
        layer.mediaType.endsWith('gzip') ? gunzipSync(content) : content,
      );
    }
    await writeFile(path.join(scratch.path, config), await readFile(blobFile(layout.folder, image.config)));
    const manifest = [{ Config: config, RepoTags: [reference], Layers: layers }];
    await writeFile(path.join(scratch.path, 'manifest.json'), JSON.stringify(manifest));
    await archive(scratch.path, file);
  } finally {
    await scratch.remove();
  }
}

/** A tar file of what is in a folder, which depends on nothing else: one time for all, no owners, sorted. */
export async function archive(folder: string, file: string, epoch = 0): Promise<void> {
  const same = ['--sort=name', '--format=gnu', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner'];
  const members = (await readdir(folder)).sort();
  await outputOf('tar', ['--create', ...same, '--file', file, '--directory', folder, '--', ...members]);
}
