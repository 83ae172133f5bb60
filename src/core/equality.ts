// When two values of an API object say the same.
import { isRecord } from './records.ts';

/** Deep equality of JSON values; the order of fields does not matter. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => isEqual(item, b[at]));
  }
  if (!isRecord(a) || !isRecord(b)) return a === b;
  return Object.keys(a).length === Object.keys(b).length && isSubset(a, b);
}

/** True when every field of `wanted` is in `live`, and equal. */
export function isSubset(wanted: unknown, live: Readonly<Record<string, unknown>>): boolean {
  return isRecord(wanted) && Object.entries(wanted).every(([key, value]) => isEqual(value, live[key]));
}
