// Whether two values say the same, as JSON counts it.
import { isRecord } from './records.ts';

/** Equal whatever the order of fields: the API server sends them in its own. A field that is undefined is absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) {
    const others: readonly unknown[] = Array.isArray(b) ? b : [];
    return Array.isArray(b) && a.length === others.length && a.every((one, at) => sameJson(one, others[at]));
  }
  if (!isRecord(a)) return a === b;
  return isRecord(b) && Object.keys({ ...a, ...b }).every((key) => sameJson(a[key], b[key]));
}
