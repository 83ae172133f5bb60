// How Tencent's APIs write values: instants of several units, names, lists that may be null (tcr.md sections 11 and 12).

import type { TencentState } from './tencent-state.ts';

/** An instant in a field of milliseconds. `at` is epoch milliseconds. */
export function writeInstant({ variants }: TencentState, at: number): number | string {
  const value = variants.instants.startsWith('seconds') ? Math.floor(at / 1000) : at;
  return variants.instants.endsWith('text') ? String(value) : value;
}

/** `2026-01-01T08:00:00+08:00` */
export function writeLocalTime(at: number): string {
  return `${new Date(at + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
}

/** `2026-01-01T00:00:00Z` */
export function writeUtc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** A list, or null in the place of one without elements. */
export function writeList({ variants }: TencentState, items: readonly unknown[]): readonly unknown[] | null {
  return items.length === 0 && variants.emptyLists === 'null' ? null : items;
}

/** Whether an answer is compressed: when the caller accepts it, or always, or never. */
export function isZipped({ variants: { gzip } }: TencentState, acceptEncoding: string): boolean {
  return gzip === 'always' || (gzip === 'asked' && /\bgzip\b/.test(acceptEncoding));
}
