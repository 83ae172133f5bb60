// What is really in an image: its files, what they weigh, and whether that is within bounds.
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A regular file of an image. */
export interface ImageFile {
  /** From the root: `/app/main.mjs`. */
  readonly path: string;
  readonly bytes: number;
  readonly mode: number;
}

/** Sums in bytes, uncompressed. */
export interface Weight {
  readonly total: number;
  /** Below `/app` and `/licenses`. */
  readonly ours: number;
}

/** What an image may weigh, in bytes. */
export const BOUNDS: Weight = { total: 160_000_000, ours: 6_000_000 };

/** Every regular file below an unpacked image, sorted by path. */
export function listFiles(root: string): readonly ImageFile[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .flatMap((name) => {
      const stat = lstatSync(path.join(root, name));
      return stat.isFile() ? [{ path: `/${name}`, bytes: stat.size, mode: stat.mode }] : [];
    });
}

/** Whether a file is the project's, and not the base image's. */
export function isOurs(file: Pick<ImageFile, 'path'>): boolean {
  return /^\/(app|licenses)\//.test(file.path);
}

/** What the files of an image weigh. */
export function weigh(files: readonly ImageFile[]): Weight {
  const sum = (some: readonly ImageFile[]) => some.reduce((bytes, file) => bytes + file.bytes, 0);
  return { total: sum(files), ours: sum(files.filter(isOurs)) };
}

/** Sentences about what is too heavy. */
export function tooHeavy({ total, ours }: Weight): readonly string[] {
  return [
    ...(total > BOUNDS.total
      ? [
          `The image has ${megabytes(total)} uncompressed, more than ${megabytes(BOUNDS.total)}: look at its base image.`,
        ]
      : []),
    ...(ours > BOUNDS.ours
      ? [`Our code has ${megabytes(ours)}, more than ${megabytes(BOUNDS.ours)}: look at what is new in the bundle.`]
      : []),
  ];
}

/** `12.3 MB`, of a million bytes each. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** SHA-256 of a file in hexadecimal. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
