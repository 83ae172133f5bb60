// What the master copy keeps of resources that a wrong edit has made unreadable: the spec that was understood last, without its password.
import { isRecord, parseList } from '../core/records.ts';

/** One resource, as it was understood last. */
export interface LastGood {
  readonly name: string;
  readonly uid: string;
  /** Without its password: that is read from the resource as it is. */
  readonly spec: unknown;
  /** Digest of the user name and password that belong to it: those of a wrong edit may be of another registry. */
  readonly source: string;
}

/** Longest text, bytes; what has no room is not remembered over a restart. */
const MAX_BYTES = 65_536;

/** In the place of the password: the parser wants one, and takes eight asterisks for a mistake. */
const PLACEHOLDER = 'not-remembered';

/** The same spec without what is secret in it. */
export function withoutPassword(spec: unknown): unknown {
  if (!isRecord(spec) || !isRecord(spec.docker) || typeof spec.docker.password !== 'string') return spec;
  return { ...spec, docker: { ...spec.docker, ...(spec.docker.password === '' ? {} : { password: PLACEHOLDER }) } };
}

/** Renders them in their order, the short ones first where there is no room for all; undefined = there are none. */
export function formatLastGood(all: readonly LastGood[]): string | undefined {
  let bytes = 2;
  const fitting = all
    .map(({ name, uid, spec, source }) => ({ name, text: JSON.stringify({ name, uid, spec, source }) }))
    .toSorted((a, b) => a.text.length - b.text.length)
    .filter(({ text }) => (bytes += Buffer.byteLength(text) + 1) <= MAX_BYTES);
  const sorted = fitting.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ text }) => text);
  return sorted.length === 0 ? undefined : `[${sorted.join(',')}]`;
}

/** Reads what `formatLastGood` gave, as if anybody had written it. */
export function parseLastGood(text: string | undefined): readonly LastGood[] {
  return parseList(text ?? '').flatMap((one): readonly LastGood[] => {
    if (!isRecord(one)) return [];
    const { name, uid, spec, source } = one;
    if (typeof name !== 'string' || typeof uid !== 'string' || typeof source !== 'string') return [];
    return [{ name, uid, spec, source }];
  });
}
