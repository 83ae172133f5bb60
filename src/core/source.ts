// What a credential was made from, as two short digests: of its cache key, and of the Secrets that were read for it.
import { shortDigest } from './short-digest.ts';
import type { CredentialRequest } from './types.ts';

/** `<digest of the cache key>.<digest of what was read>`: equal as long as neither changes. `revisions` in any order. */
export function sourceOf(cacheKey: string, revisions: readonly string[]): string {
  return `${shortDigest(cacheKey)}.${shortDigest([...revisions].sort().join('\n'))}`;
}

/** The digest of the cache key in a source: equal for everything that was made for the same request. */
export function keyOf(source: string): string {
  return source.split('.', 1)[0] ?? '';
}

const keys = new WeakMap<CredentialRequest, string>();

/** What `keyOf` gives for everything made for `request`; digested once for each, since every pass asks for it. */
export function requestKey(request: CredentialRequest): string {
  const known = keys.get(request);
  if (known !== undefined) return known;
  const key = shortDigest(request.cacheKey);
  keys.set(request, key);
  return key;
}
