// Reads the small files that identities come from: projected tokens, credentials files. Of bounded size.
import { open } from 'node:fs/promises';
import { ProviderError } from '../core/errors.ts';

/** A projected token has about a thousand bytes. */
const MAX_BYTES = 65_536;

/** There is no such file, or none for us: nothing that passes by itself. */
const LASTING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP']);

/** Its text, to the first 64 KiB. Throws ProviderError `IdentityUnavailable` that names it; with `cause` when that may pass. */
export async function readSmallFile(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } catch (error) {
    const { code = 'unreadable' } = (error ?? {}) as { readonly code?: string };
    const details = LASTING.has(code) ? {} : { cause: error };
    throw new ProviderError('IdentityUnavailable', `The file ${path} could not be read (${code})`, details);
  }
}
