// Reads the list from the folder that a ConfigMap is mounted at.
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { HOSTS_KEY } from '../core/hosts-items.ts';
import { codeOf } from './failure.ts';

/** Longest list that is read, bytes: a ConfigMap holds no more. */
const MAX_BYTES = 1_048_576;

/** The text of the list, or why there is none. */
export type ListText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string };

/** Reads it as it is now. kubelet swaps the whole folder at once, so that no half of it is ever read. Never throws. */
export function readList(folder: string): ListText {
  const first = readOnce(folder);
  // Opened on the way through the folder that kubelet was just removing: it had swapped it before.
  return first.ok ? first : readOnce(folder);
}

function readOnce(folder: string): ListText {
  const file = path.join(folder, HOSTS_KEY);
  try {
    const fd = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(MAX_BYTES + 1);
      let length = 0;
      for (let read = 1; read > 0 && length < bytes.length; length += read) {
        read = readSync(fd, bytes, length, bytes.length - length, null);
      }
      if (length > MAX_BYTES) return { ok: false, why: `${file} is longer than ${MAX_BYTES} bytes` };
      return { ok: true, text: bytes.toString('utf8', 0, length) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = codeOf(error);
    const cure = 'mount the ConfigMap updater-config with its key hosts.yaml at --config-folder';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { ok: false, why: `${file} does not exist: ${cure}` };
    return { ok: false, why: `${file} cannot be read (${code === '' ? 'unknown' : code}): ${cure}` };
  }
}
