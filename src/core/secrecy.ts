// What must not be shown: values beside a word that names a secret, and texts of the form of a cloud's key.
import { foldName } from './fields.ts';
import { ITEM_FIELD_KINDS, MAP_FIELDS, SECRET_ITEM_FIELDS } from './item-fields.ts';
import { MASK } from './mask.ts';
import { isRecord } from './records.ts';
import type { Issue } from './types.ts';

/** Words that make a text unfit to be quoted. */
const SECRET_WORDS = /secret|password|passwd|token|key/i;

/** Runs in which a key may stand: the ids and secrets of both clouds are letters and digits, 16 of them at least. */
const RUN = /[A-Za-z0-9]{16,}/g;

/** Fields of items and of nested keys whose values may be shown; every other one could hold a secret. */
const SHOWN_FIELDS: ReadonlySet<string> = new Set(
  [...ITEM_FIELD_KINDS.keys(), ...MAP_FIELDS, 'name', 'namespace', 'enable', 'failure-policy', 'timeout-seconds'].map(
    foldName,
  ),
);

/** Fields that hold a secret: known, and never shown. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(SECRET_ITEM_FIELDS.map(foldName));

/** Deepest nest that is looked into: no value that we know is deeper. */
const MAX_DEPTH = 4;

/** True when the text names something that is secret, or looks like a key itself: then it is not to be quoted. */
export function mayHoldSecret(text: string): boolean {
  return SECRET_WORDS.test(text) || maskKeys(text) !== text;
}

/** The text with everything that looks like a cloud's key masked. */
export function maskKeys(text: string): string {
  return text.replace(RUN, (run) => (isKey(run) ? MASK : run));
}

/** The issue with everything that looks like a key masked, wherever it came from. */
export function withoutKeys(issue: Issue): Issue {
  const { path, message, value, correction } = issue;
  return {
    ...issue,
    path: maskKeys(path),
    message: maskKeys(message),
    ...(value === undefined ? {} : { value: maskKeys(value) }),
    ...(correction === undefined ? {} : { correction: maskKeys(correction) }),
  };
}

/**
 * Random letters and digits have upper case, lower case and a digit before a letter; the words that people write (`cri-…` in lower
 * case, `AliyunCSManagedAcrRole2023`) have not.
 */
function isKey(run: string): boolean {
  return /^(LTAI|AKID)/.test(run) || (/[a-z]/.test(run) && /[A-Z]/.test(run) && /\d[A-Za-z]/.test(run));
}

/**
 * A value of the configuration as it may be shown: secrets masked, everything else as it is. Undefined when it has a field that
 * nobody knows: its value could be a secret, and its name too.
 */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const shown = value.map((member: unknown) => withoutSecrets(member, depth + 1));
    return shown.includes(undefined) ? undefined : shown;
  }
  if (!isRecord(value)) return shownScalar(value);
  const fields = Object.entries(value).map(([name, content]) => {
    const folded = foldName(name);
    if (SECRET_FIELDS.has(folded)) return [name, MASK] as const;
    return [name, SHOWN_FIELDS.has(folded) ? withoutSecrets(content, depth + 1) : undefined] as const;
  });
  return fields.some(([, content]) => content === undefined) ? undefined : Object.fromEntries(fields);
}

/** A text with spaces and a word that names a secret may have swallowed the next field. */
function shownScalar(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return /[\s=]/.test(value) && SECRET_WORDS.test(value) ? MASK : maskKeys(value);
}
