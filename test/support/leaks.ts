// Finds secrets in texts, whole or in part, in every form that programs give them by accident.

/** Characters of a form that must appear in a row. */
const WINDOW = 12;

/** A secret by what it is called in reports. */
export type MarkedSecrets = Readonly<Record<string, string>>;

/** A form of a secret that a text holds. */
export interface Leak {
  readonly secret: string;
  readonly form: string;
  /** What stands there, with a little around it. */
  readonly excerpt: string;
}

/**
 * Every form of `secrets` that `text` holds. A part of a secret counts: any 24 characters of a form hold one of the windows that
 * are looked for, and so do its first 12.
 */
export function findLeaks(text: string, secrets: MarkedSecrets): readonly Leak[] {
  return Object.entries(secrets).flatMap(([secret, value]) =>
    Object.entries(formsOf(value)).flatMap(([form, shape]) => {
      const at = windowsOf(shape)
        .map((window) => text.indexOf(window))
        .find((index) => index >= 0);
      return at === undefined ? [] : [{ secret, form, excerpt: text.slice(Math.max(0, at - 60), at + 60) }];
    }),
  );
}

/** Only the characters that depend on the secret alone: whatever stands before or after it in what was encoded. */
function formsOf(secret: string): Readonly<Record<string, string>> {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  const base64 = [0, 1, 2].map((offset) => base64At(secret, offset));
  return {
    raw: secret,
    'JSON-escaped': json,
    'JSON-escaped twice': JSON.stringify(json).slice(1, -1),
    'JSON-escaped to ASCII': json.replace(
      /[^ -~]/g,
      (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
    'URL-encoded': url,
    'URL-encoded as a form': url.replaceAll('%20', '+'),
    'URL-encoded in lower case': url.replace(/%../g, (found) => found.toLowerCase()),
    ...Object.fromEntries(base64.map((shape, offset) => [`base64 at offset ${offset}`, shape])),
    ...Object.fromEntries(
      base64.map((shape, offset) => [`base64url at offset ${offset}`, shape.replaceAll('+', '-').replaceAll('/', '_')]),
    ),
    ...Object.fromEntries(
      base64.flatMap((shape, inner) =>
        [0, 1, 2].map((outer) => [`base64 of base64 at offsets ${inner} and ${outer}`, base64At(shape, outer)]),
      ),
    ),
    hex: Buffer.from(secret).toString('hex'),
  };
}

/** Base64 of a secret that begins `offset` bytes into a group of three. */
function base64At(secret: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
  return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

function windowsOf(shape: string): readonly string[] {
  if (shape.length <= WINDOW) return [shape];
  const starts = Array.from({ length: Math.floor(shape.length / WINDOW) }, (_, index) => index * WINDOW);
  return starts.map((start) => shape.slice(start, start + WINDOW));
}
