// What a credential was made from, as two short digests: of its cache key, and of the Secrets that were read for it.
import { createHash } from 'node:crypto';

/** `<digest of the cache key>.<digest of what was read>`: equal as long as neither changes. `revisions` in any order. */
export function sourceOf(cacheKey: string, revisions: readonly string[]): string {
  return `${shortDigest(cacheKey)}.${shortDigest([...revisions].sort().join('\n'))}`;
}

/** True when something with this source was made for the request known under `cacheKey`. */
export function isMadeFor(source: string, cacheKey: string): boolean {
  return source.startsWith(`${shortDigest(cacheKey)}.`);
}

/** Twelve hex digits: enough to tell the few hundred credentials of a cluster apart. */
function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
