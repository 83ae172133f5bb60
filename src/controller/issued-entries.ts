// Which credentials the Secrets of the cluster hold, by when they were issued.
import { keyOf } from '../core/source.ts';
import type { EpochMs, ObservedSecret } from '../core/types.ts';

/** When the entries of all Secrets for one request were issued. */
export interface Issued {
  readonly first: EpochMs;
  readonly last: EpochMs;
}

/** By the digest of the cache key. */
export function issuedAt(secrets: Iterable<Pick<ObservedSecret, 'entries'>>): ReadonlyMap<string, Issued> {
  const found = new Map<string, Issued>();
  for (const { entries } of secrets) {
    for (const { source, issuedAt: at } of Object.values(entries ?? {})) {
      const key = keyOf(source);
      const { first, last } = found.get(key) ?? { first: at, last: at };
      found.set(key, { first: Math.min(first, at), last: Math.max(last, at) });
    }
  }
  return found;
}
