// What is remembered of credentials that leave something at a cloud, as text in the master copy.
import { isRecord, parseList } from '../core/records.ts';
import type { MintedRequest } from '../credentials/revocation.ts';

/** Most that is remembered of what no rule wants any more: more than any configuration has. */
export const MAX_REMEMBERED = 2_000;

/** Longest text, bytes: a quarter of what a Secret holds. */
const MAX_BYTES = 262_144;

/**
 * What a request left: `nothing` = none was made for it yet, `maybe` = it was asked for, and the answer may have got lost, `surely` = a
 * credential was there.
 */
export type Left = 'nothing' | 'maybe' | 'surely';

/** A request, and what it left. */
export interface MintedEntry {
  readonly request: MintedRequest;
  readonly left: Left;
}

/** In the order in which they are kept where there is no room for all. */
const LEFT_BY_WEIGHT: readonly Left[] = ['surely', 'maybe', 'nothing'];

/** Below 0 when `a` is worth more than `b`. */
export function byWeight(a: Pick<MintedEntry, 'left'>, b: Pick<MintedEntry, 'left'>): number {
  return LEFT_BY_WEIGHT.indexOf(a.left) - LEFT_BY_WEIGHT.indexOf(b.left);
}

/** Renders them in a stable order; undefined = there are none. `omitted`: what there was no room for, the least important. */
export function formatMinted(entries: Iterable<MintedEntry>): {
  readonly text: string | undefined;
  readonly omitted: readonly MintedEntry[];
} {
  const kept: { readonly cacheKey: string; readonly text: string }[] = [];
  const omitted: MintedEntry[] = [];
  let bytes = 2;
  const sized = [...entries].map((entry) => ({ ...entry, text: textOf(entry) }));
  // The long ones of equal weight make room for the others.
  for (const { text, request, left } of sized.toSorted((a, b) => byWeight(a, b) || a.text.length - b.text.length)) {
    const length = Buffer.byteLength(text) + 1;
    if (kept.length === MAX_REMEMBERED || bytes + length > MAX_BYTES) omitted.push({ request, left });
    else {
      kept.push({ cacheKey: request.cacheKey, text });
      bytes += length;
    }
  }
  const sorted = kept.toSorted((a, b) => (a.cacheKey < b.cacheKey ? -1 : 1)).map(({ text }) => text);
  return { text: sorted.length === 0 ? undefined : `[${sorted.join(',')}]`, omitted };
}

/** Reads what `formatMinted` gave, as if anybody had written it. What was not asked for then may have been since. */
export function parseMinted(text: string | undefined): readonly MintedEntry[] {
  const listed = parseList(text ?? '').slice(0, MAX_REMEMBERED);
  return listed.flatMap((one): readonly MintedEntry[] => {
    if (!isRecord(one) || typeof one.provider !== 'string' || typeof one.cacheKey !== 'string') return [];
    const request = { provider: one.provider, target: one.target, cacheKey: one.cacheKey };
    return [{ request, left: one.isMade === true ? 'surely' : 'maybe' }];
  });
}

function textOf({ request: { provider, target, cacheKey }, left }: MintedEntry): string {
  return JSON.stringify({ provider, target, cacheKey, ...(left === 'surely' ? { isMade: true } : {}) });
}
