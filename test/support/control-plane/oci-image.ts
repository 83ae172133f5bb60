// Builds small container images in memory, without a container engine: one layer, a config, and the ways to hand them on.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A file of an image; folders above it need not be named. */
export interface ImageFile {
  /** Without a leading slash. */
  readonly path: string;
  readonly content: Buffer;
  /** Default 0644. */
  readonly mode?: number;
}

/** One image of one layer. */
export interface LocalImage {
  /** The layer, gzipped. */
  readonly layer: Buffer;
  /** The layer as it was before that. */
  readonly tar: Buffer;
  /** The config, JSON. */
  readonly config: Buffer;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Builds an image for this machine. `entrypoint` is what it runs, absent: nothing. */
export function buildImage(of: {
  readonly files: readonly ImageFile[];
  readonly entrypoint?: readonly string[];
}): LocalImage {
  const tar = buildTar(of.files);
  const config = {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: of.entrypoint === undefined ? {} : { Entrypoint: of.entrypoint },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
  };
  return { layer: gzipSync(tar), tar, config: Buffer.from(JSON.stringify(config)) };
}

/** An archive as `docker save` writes it, of an image with one name such as `example/app:1.0`. */
export function buildDockerArchive(name: string, { tar, config }: LocalImage): Buffer {
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  return buildTar([
    { path: 'config.json', content: config },
    { path: 'layer.tar', content: tar },
    { path: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) },
  ]);
}

/** The digest by which registries know bytes. */
export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A ustar archive; paths have at most 100 bytes. */
function buildTar(files: readonly ImageFile[]): Buffer {
  const parts = files.flatMap(({ path, content, mode = 0o644 }) => [
    buildHeader(path, content.length, mode),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function buildHeader(path: string, size: number, mode: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write(`${octal(mode, 7)}\0`, 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${octal(size, 11)}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148); // the checksum counts its own field as blanks
  header.write('0', 156);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
