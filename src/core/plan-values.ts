// How the configuration follows the values of a chart: a three-way merge of what was taken over last, what is there, and what the
// values say now. What people edit by hand is theirs; what they left alone follows.
import { createHash } from 'node:crypto';
import { EXAMPLE_TEXT } from './example-text.ts';
import { equalKey, type ConfigData } from './managed-form.ts';
import { EXAMPLE_KEY } from './names.ts';
import { parseRecord } from './records.ts';

/** Why the configuration is written: the same word in log, metric and test. */
export type ValuesReason = 'ConfigurationMissing' | 'ValuesChanged';

/** Why something of it is not as the values say. */
export type ValuesSkipReason = 'HandEditKept' | 'ValuesUnused';

/** The ConfigMap of the configuration as far as planning reads it. */
export interface FoundConfiguration {
  readonly data: ConfigData;
  /** Keys of its `binaryData`: no key of `data` may bear the same name. */
  readonly binaryKeys: readonly string[];
  /** Our annotation; undefined = it has none: somebody else made it, or took it over. */
  readonly taken: string | undefined;
}

/** One planned API call. `taken` is the text of our annotation. */
export type ValuesWrite =
  | {
      readonly kind: 'create-configuration';
      readonly reason: 'ConfigurationMissing';
      readonly data: ConfigData;
      readonly taken: string;
    }
  | {
      readonly kind: 'patch-configuration';
      readonly reason: 'ValuesChanged';
      /** Keys that change, null = goes. */
      readonly data: Readonly<Record<string, string | null>>;
      readonly taken: string;
    };

/** A key that is not as the values say, since somebody edited it. */
export interface KeptKey {
  readonly key: string;
  /** The other name under which it was written by hand; absent = it bears its own. */
  readonly writtenAs?: string;
  /** undefined = it was deleted, or is in `binaryData`. */
  readonly live: string | undefined;
  readonly isBinary: boolean;
  /** What the values say. May hold a secret. */
  readonly value: string;
}

/** The decision. */
export interface ValuesPlan {
  readonly write: ValuesWrite | undefined;
  readonly kept: readonly KeptKey[];
  /** Keys of the values that say something else than a ConfigMap which is not ours to write. */
  readonly unused: readonly string[];
}

const NOTHING: ValuesPlan = { write: undefined, kept: [], unused: [] };

/** Stands for what is in `binaryData`: it equals no text. */
const BINARY = Symbol('binary');

/**
 * Decides.
 *
 * | ConfigMap | Key | then |
 * |---|---|---|
 * | any, while the values are not known | | nothing |
 * | none | | create it, with every key of the values and one that explains all |
 * | without our annotation | | leave it whole (`ValuesUnused`) |
 * | ours | as the values say | nothing; whoever wrote it, it follows them from now on |
 * | ours | as it was taken over last | change it, or remove it, as the values say |
 * | ours | otherwise, also deleted | leave (`HandEditKept`, where the values hold it) |
 *
 * A key that has another name in the managed edition is one key under both: what stands under the other name by hand is not joined by
 * ours, which would make the configuration contradict itself; where it reads as the values said last, it follows under the name of the
 * values.
 *
 * After each merge the annotation holds digests of the values as they are now, also of what was left: whoever then goes back by hand to
 * what the values said before has edited, and keeps that. An annotation that cannot be read makes every difference an edit.
 */
export function planValues(values: ConfigData | undefined, found: FoundConfiguration | undefined): ValuesPlan {
  if (values === undefined) return NOTHING;
  const wanted = new Map([[EXAMPLE_KEY, EXAMPLE_TEXT], ...Object.entries(values)]);
  const taken = takenOf(wanted);
  if (found === undefined) {
    const data = Object.fromEntries(wanted);
    return { ...NOTHING, write: { kind: 'create-configuration', reason: 'ConfigurationMissing', data, taken } };
  }
  const live = new Map<string, string | typeof BINARY>([
    ...Object.entries(found.data),
    ...found.binaryKeys.map((key) => [key, BINARY] as const),
  ]);
  if (found.taken === undefined) {
    const says = (key: string, value: string): boolean =>
      [key, ...otherNames(key, live)].some((name) => live.get(name) === value);
    const differ = Object.entries(values).filter(([key, value]) => value.trim() !== '' && !says(key, value));
    return { ...NOTHING, unused: differ.map(([key]) => key) };
  }
  const before = parseTaken(found.taken);
  const changes = new Map<string, string | null>();
  const kept: KeptKey[] = [];
  const isTaken = (name: string): boolean => {
    const text = live.get(name);
    return before !== undefined && text !== BINARY && digestOf(text) === before.get(name);
  };
  for (const key of new Set([...wanted.keys(), ...(before?.keys() ?? [])])) {
    const value = wanted.get(key);
    const text = live.get(key);
    if (value === text) continue;
    const isBinary = text === BINARY;
    const rival = otherNames(key, live).find((name) => !wanted.has(name) && !isTaken(name));
    const rivalText = rival === undefined ? undefined : textUnder(rival, live);
    if (value !== undefined && rival !== undefined && rivalText !== undefined) {
      const isMoved = text === undefined && before !== undefined && digestOf(rivalText) === before.get(key);
      if (isMoved && rivalText !== value) changes.set(key, value).set(rival, null);
      else if (text !== undefined && isTaken(key)) changes.set(key, null);
      if (!isMoved && rivalText !== value)
        kept.push({ key, writtenAs: rival, live: rivalText, isBinary: false, value });
    } else if (isTaken(key)) changes.set(key, value ?? null);
    else if (value !== undefined && key !== EXAMPLE_KEY) {
      kept.push({ key, live: isBinary ? undefined : text, isBinary, value });
    }
  }
  if (changes.size === 0 && taken === found.taken) return { ...NOTHING, kept };
  const data = Object.fromEntries(changes);
  return { ...NOTHING, kept, write: { kind: 'patch-configuration', reason: 'ValuesChanged', data, taken } };
}

/** Names under which the same key of the configuration is written besides `key`, and says something. */
function otherNames(key: string, live: ReadonlyMap<string, string | typeof BINARY>): readonly string[] {
  const meant = equalKey(key);
  if (meant === undefined) return [];
  const says = (name: string): boolean => (textUnder(name, live) ?? '').trim() !== '';
  return [...live.keys()].filter((name) => name !== key && equalKey(name) === meant && says(name)).sort();
}

function textUnder(name: string, live: ReadonlyMap<string, string | typeof BINARY>): string | undefined {
  const text = live.get(name);
  return text === BINARY ? undefined : text;
}

/** True when everything in it was taken over from values, and nobody edited it: nothing of it is lost with it. */
export function isAsTakenOver({ data, binaryKeys, taken }: FoundConfiguration): boolean {
  const before = taken === undefined ? undefined : parseTaken(taken);
  if (before === undefined || binaryKeys.length > 0) return false;
  const live = new Map(Object.entries(data));
  const keys = new Set([...before.keys(), ...live.keys()]);
  // The explanation is no configuration.
  keys.delete(EXAMPLE_KEY);
  return [...keys].every((key) => digestOf(live.get(key)) === before.get(key));
}

/** Text of the annotation: a digest for each key, never a text, which may hold a plaintext AccessKey (acr.md section 3). */
function takenOf(wanted: ReadonlyMap<string, string>): string {
  const pairs = [...wanted].map(([key, text]) => [key, digestOf(text)] as const);
  return JSON.stringify(Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Digests by key; undefined = it cannot be read, so that nothing is known of what was taken over. */
function parseTaken(text: string): ReadonlyMap<string, string> | undefined {
  const record = parseRecord(text);
  if (record === undefined) return undefined;
  const pairs = Object.entries(record);
  const digests = pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return digests.length === pairs.length ? new Map(digests) : undefined;
}

/** undefined = there is no text. */
function digestOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : createHash('sha256').update(text).digest('hex').slice(0, 32);
}
