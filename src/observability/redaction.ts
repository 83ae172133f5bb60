// Keeps secrets out of everything that is printed: every secret is registered here at birth, in every form it may take.

/** Knows the secrets of this process: the current and the previous generation of each key. */
export declare class SecretRegistry {
  /** Replaces what is known under `key`; the values before it stay known for one generation more. Short values (< 6) are ignored. */
  register(key: string, values: readonly string[]): void;
  /** Replaces every known secret in `text` by `[redacted]`. */
  mask(text: string): string;
}
