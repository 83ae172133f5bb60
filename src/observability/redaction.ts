// Keeps secrets out of everything that is printed: every secret is registered here at birth, in every form it may take. No regular
// expression: secrets are as long and as many as people write them, and V8 quotes a pattern that is too large in its message.

/** Shorter values are no secrets but words: masking them would blacken every line. */
const MIN_LENGTH = 6;
const MASK = '[redacted]';

/** Longer values are known in pieces of so many characters: each is masked by itself, so that part of a long one is, too. */
const PIECE = 4_096;

/** So many keys whose secrets are in no use any more stay known: what is on its way may still be printed. */
const MAX_LEAVING = 100;

interface Known {
  readonly current: readonly string[];
  readonly previous: readonly string[];
}

/** Knows the secrets of this process: the current and the previous generation of each key. */
export class SecretRegistry {
  readonly #known = new Map<string, Known>();
  readonly #forms = new FormIndex();
  /** Oldest first. */
  readonly #leaving = new Set<string>();

  /** Replaces what is known under `key`; the values before it stay known for one generation more. Short values (< 6) are ignored. */
  register(key: string, values: readonly string[]): void {
    this.#leaving.delete(key);
    const current = [...new Set(values.flatMap(piecesOf))];
    const known = this.#known.get(key);
    const before = known?.current ?? [];
    if (before.length === current.length && current.every((value) => before.includes(value))) return;
    // First what comes: between the two nothing is unknown that must not be.
    for (const value of current) this.#forms.add(value);
    for (const value of known?.previous ?? []) this.#forms.remove(value);
    this.#known.set(key, { current, previous: before });
  }

  /** Nobody uses what is known under `key` any more: it is forgotten after a hundred others. */
  forget(key: string): void {
    if (this.#known.has(key)) this.#leaving.add(key);
    for (const oldest of this.#leaving) {
      if (this.#leaving.size <= MAX_LEAVING) return;
      this.#leaving.delete(oldest);
      const { current, previous } = this.#known.get(oldest) ?? { current: [], previous: [] };
      for (const value of [...current, ...previous]) this.#forms.remove(value);
      this.#known.delete(oldest);
    }
  }

  /** Replaces every known secret in `text` by `[redacted]`. */
  mask(text: string): string {
    return this.#forms.mask(text);
  }
}

/** Every form of every secret by its first characters; a form that several secrets share counts for each. */
class FormIndex {
  readonly #byStart = new Map<string, Map<string, number>>();

  add(value: string): void {
    for (const form of formsOf(value)) {
      const start = form.slice(0, MIN_LENGTH);
      const forms = this.#byStart.get(start) ?? new Map<string, number>();
      this.#byStart.set(start, forms.set(form, (forms.get(form) ?? 0) + 1));
    }
  }

  remove(value: string): void {
    for (const form of formsOf(value)) {
      const start = form.slice(0, MIN_LENGTH);
      const forms = this.#byStart.get(start);
      const uses = (forms?.get(form) ?? 0) - 1;
      if (uses > 0) forms?.set(form, uses);
      else forms?.delete(form);
      if (forms?.size === 0) this.#byStart.delete(start);
    }
  }

  /** The leftmost first, and of those that begin at one place the longest. */
  mask(text: string): string {
    if (this.#byStart.size === 0) return text;
    let masked = '';
    let kept = 0;
    for (let at = 0; at + MIN_LENGTH <= text.length; at += 1) {
      const length = this.#lengthAt(text, at);
      if (length === 0) continue;
      masked += text.slice(kept, at) + MASK;
      kept = at + length;
      at = kept - 1;
    }
    return masked + text.slice(kept);
  }

  #lengthAt(text: string, at: number): number {
    let longest = 0;
    for (const form of this.#byStart.get(text.slice(at, at + MIN_LENGTH))?.keys() ?? []) {
      if (form.length > longest && text.startsWith(form, at)) longest = form.length;
    }
    return longest;
  }
}

/** Pieces that are none too short, whole characters each. */
function piecesOf(value: string): readonly string[] {
  // Half a character cannot be written in UTF-8: it is printed as the sign that stands for it.
  const text = value.toWellFormed();
  if (text.length < MIN_LENGTH) return [];
  if (text.length <= PIECE) return [text];
  const characters = Array.from(text);
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += PIECE) pieces.push(characters.slice(at, at + PIECE).join(''));
  return pieces.filter((piece) => piece.length >= MIN_LENGTH);
}

/** How a secret may appear: as it is, escaped for JSON (once or twice) and URLs, and in base64 at any place of a longer text. */
function formsOf(value: string): ReadonlySet<string> {
  const json = JSON.stringify(value).slice(1, -1);
  // Go escapes for HTML as well, and so does whatever is written in it.
  const goJson = json.replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  const url = encodeURIComponent(value);
  const strictUrl = url.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return new Set([
    value,
    json,
    goJson,
    ...[json, goJson].map((text) => JSON.stringify(text).slice(1, -1)),
    ...[url, strictUrl].flatMap((text) => [text, text.replaceAll('%20', '+'), withLowerHex(text)]),
    ...[0, 1, 2].flatMap((offset) => [...base64At(value, offset), ...base64At(json, offset)]),
  ]);
}

function withLowerHex(url: string): string {
  return url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
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
