// Reads and writes the bytes of a hosts file, one character a byte, without waiting in between: the windows stay short.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import path from 'node:path';
import { codeOf, HostsFailure, isReadOnly } from './failure.ts';

/** Longest file that is kept, bytes: lists of blocked names are long, and it is held several times over. */
const MAX_BYTES = 2 * 1_048_576;

/** An open hosts file; whoever opened it closes it. */
export interface OpenFile {
  readonly fd: number;
  /** Without symbolic links. */
  readonly path: string;
  readonly inode: bigint;
  readonly links: number;
  /** What it held when it was opened. */
  readonly text: string;
  /** Its stamp right before that was read; undefined = it had changed a moment before, so that a change after it may not show. */
  readonly stamp: string | undefined;
}

/** How long a stamp may stay the same although the file changes, milliseconds: far more than a tick of the kernel. */
const RACY_MS = 1_000;

/** Opens it for reading, and for writing in place if wanted. Throws HostsFailure. */
export function openFile(file: string, mode: 'read' | 'write'): OpenFile {
  let fd: number | undefined;
  try {
    const real = realpathSync(file);
    fd = openSync(real, mode === 'read' ? constants.O_RDONLY : constants.O_RDWR);
    const found = fstatSync(fd, { bigint: true });
    const isOld = Date.now() - Number(found.ctimeMs) > RACY_MS;
    const stamp = isOld ? renderStamp(found) : undefined;
    return { fd, path: real, inode: found.ino, links: Number(found.nlink), text: readAll(fd), stamp };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw failureOf(file, error);
  }
}

/** Throws HostsFailure for a file that has no name any more. */
export function refuseStale({ path, links }: OpenFile): void {
  if (links > 0) return;
  const cure = 'mount its folder instead of the file, or restart this Pod';
  throw new HostsFailure('FileStale', `${path} is a mounted file that the node has replaced since: ${cure}`);
}

/** What changes with every write and every replacement of a file; undefined = there is none. */
export function stampOf(file: string): string | undefined {
  try {
    return renderStamp(statSync(file, { bigint: true }));
  } catch {
    return undefined;
  }
}

function renderStamp({ dev, ino, nlink, size, ctimeNs }: BigIntStats): string {
  return [dev, ino, nlink, size, ctimeNs].join(' ');
}

/** Everything that the file holds now. Throws HostsFailure when that is too long. */
export function readAll(fd: number): string {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { size } = fstatSync(fd);
    if (Math.max(size, length) > MAX_BYTES) {
      throw new HostsFailure('FileTooLong', `the hosts file is longer than ${MAX_BYTES} bytes: it is left alone`);
    }
    const chunk = Buffer.alloc(Math.max(4_096, size - length + 1));
    const read = readSync(fd, chunk, 0, chunk.length, length);
    if (read === 0) return Buffer.concat(chunks).toString('latin1');
    chunks.push(chunk.subarray(0, read));
    length += read;
  }
}

/**
 * Puts a new file with `text` in the place of `open`, with its owner and mode. Returns false, and leaves everything as it is,
 * when another writer did more to the file since it was read than append. Throws what the operating system says, and then nothing was
 * replaced. `syncFolder` is to come after it.
 */
export function replaceFile(open: OpenFile, text: string): boolean {
  // The one who holds the lock is the only one who uses this name: what is there was left by a process that died.
  const temporary = path.join(path.dirname(open.path), `.${path.basename(open.path)}.registry-credential-helper`);
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    const { uid, gid, mode } = fstatSync(open.fd);
    writeAll(fd, text);
    fchownSync(fd, uid, gid);
    fchmodSync(fd, mode & 0o7777);
    fsyncSync(fd);
    // What was appended since is brought over afterwards: who appends without end must not keep us from writing.
    if (!readAll(open.fd).startsWith(open.text) || statSync(open.path, { bigint: true }).ino !== open.inode) {
      rmSync(temporary, { force: true });
      return false;
    }
    renameSync(temporary, open.path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return true;
}

/**
 * Turns `from` at the beginning of the file into `to`, which is as long, with one write of what differs, and reads it back. What
 * is appended meanwhile is behind it. Returns false when another writer changed what is being changed.
 */
export function overwrite(fd: number, from: string, to: string): boolean {
  let start = 0;
  while (start < to.length && from[start] === to[start]) start += 1;
  let end = to.length;
  while (end > start && from[end - 1] === to[end - 1]) end -= 1;
  if (!readAll(fd).startsWith(from)) return false;
  writeAll(fd, to.slice(start, end), start);
  fsyncSync(fd);
  return readAll(fd).startsWith(to);
}

/** Appends in one write, which no other appender can come into. */
export function append(file: string, text: string): void {
  const fd = openSync(file, constants.O_WRONLY | constants.O_APPEND);
  try {
    writeAll(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** `at` undefined = where the file's own position is. */
function writeAll(fd: number, text: string, at?: number): void {
  const bytes = Buffer.from(text, 'latin1');
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at === undefined ? null : at + done);
  }
}

/** Makes a replacement outlast a power cut. Gives the code of the error where that cannot be had: what was replaced stays so. */
export function syncFolder(file: string): string | undefined {
  try {
    const fd = openSync(path.dirname(file), 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

/** What an error of the operating system means for the one who runs this. */
export function failureOf(file: string, error: unknown): HostsFailure {
  if (error instanceof HostsFailure) return error;
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const target = linkTarget(file);
    if (target !== undefined) {
      const cure = 'mount what the link needs there too, or name the target as it is mounted with --hosts-file';
      return new HostsFailure(
        'FileMissing',
        `${file} is a symbolic link to ${target}, which is not here: ${cure}`,
        error,
      );
    }
    return new HostsFailure(
      'FileMissing',
      `${file} does not exist: mount the folder of the node's hosts file there`,
      error,
    );
  }
  if (isReadOnly(error)) {
    const cure = 'mount it writable, run as its owner, and look for an immutable attribute';
    return new HostsFailure('FileReadOnly', `${file} may not be written (${code}): ${cure}`, error);
  }
  const what = Error.isError(error) ? error.message : String(error);
  return new HostsFailure('Unexpected', `${file} could not be kept: ${what}`, error);
}
