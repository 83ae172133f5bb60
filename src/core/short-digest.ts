// Tells texts apart without telling them: for names of what is held.
import { createHash } from 'node:crypto';

/** Twelve hexadecimal digits, equal for equal texts: enough to tell the few hundred credentials of a cluster apart. */
export function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
