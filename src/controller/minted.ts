// What is remembered of credentials that leave something at a cloud, read back from the master copy.
import { isRecord } from '../core/records.ts';
import type { MintedRequest } from '../credentials/revocation.ts';

/** Most that is remembered: more than any configuration has. */
export const MAX_REMEMBERED = 2_000;

/** Reads what `snapshot` gave, as if anybody had written it. */
export function parseMinted(text: string | undefined): readonly MintedRequest[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  const listed: readonly unknown[] = Array.isArray(parsed) ? parsed.slice(0, MAX_REMEMBERED) : [];
  return listed.flatMap((one) => {
    if (!isRecord(one) || typeof one.provider !== 'string' || typeof one.cacheKey !== 'string') return [];
    return [{ provider: one.provider, target: one.target, cacheKey: one.cacheKey }];
  });
}
