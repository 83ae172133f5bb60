// Keeps secrets out of everything that is printed: every secret is registered here at birth, in every form it may take.

/** Shorter values are no secrets but words: masking them would blacken every line. */
const MIN_LENGTH = 6;
const MASK = '[redacted]';

interface Known {
  readonly current: readonly string[];
  readonly previous: readonly string[];
}

/** Knows the secrets of this process: the current and the previous generation of each key. */
export class SecretRegistry {
  readonly #known = new Map<string, Known>();
  #pattern: RegExp | undefined;

  /** Replaces what is known under `key`; the values before it stay known for one generation more. Short values (< 6) are ignored. */
  register(key: string, values: readonly string[]): void {
    const current = [...new Set(values.filter((value) => value.length >= MIN_LENGTH))];
    const before = this.#known.get(key)?.current ?? [];
    if (before.length === current.length && current.every((value) => before.includes(value))) return;
    this.#known.set(key, { current, previous: before });
    this.#pattern = undefined;
  }

  /** Replaces every known secret in `text` by `[redacted]`. */
  mask(text: string): string {
    if (this.#known.size === 0) return text;
    this.#pattern ??= this.#build();
    return text.replace(this.#pattern, MASK);
  }

  #build(): RegExp {
    const values = [...this.#known.values()].flatMap(({ current, previous }) => [...current, ...previous]);
    const forms = [...new Set(values.flatMap(formsOf))].sort((a, b) => b.length - a.length);
    return new RegExp(forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|') || '(?!)', 'g');
  }
}

/** How a secret may appear: as it is, escaped for JSON (once or twice) and URLs, and in base64 at any place of a longer text. */
function formsOf(value: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  return [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    url,
    url.replaceAll('%20', '+'),
    url.toLowerCase(),
    ...[0, 1, 2].flatMap((offset) => [...base64At(value, offset), ...base64At(json, offset)]),
  ];
}

/**
 * The characters of base64 that depend on the value alone when it begins `offset` bytes into a group of three, in both
 * alphabets.
 */
function base64At(value: string, offset: number): readonly string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const first = Math.ceil((offset * 8) / 6);
  const text = bytes.toString('base64').slice(first, Math.floor((bytes.length * 8) / 6));
  return text.length < MIN_LENGTH ? [] : [text, text.replaceAll('+', '-').replaceAll('/', '_')];
}
