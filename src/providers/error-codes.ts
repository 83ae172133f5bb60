// How clouds' error codes are told: a table of patterns, and what the first that fits says. By code, never by status.
import type { FailureReason } from '../core/errors.ts';

/** What a code means. */
export interface CodeMeaning {
  readonly reason: FailureReason;
  /** What is wrong and what to check; ends the sentence. */
  readonly advice: (context: AdviceContext) => string;
}

/** What advice may name. */
export interface AdviceContext {
  /** `GetAuthorizationToken`. */
  readonly action: string;
  /** Where the key comes from. */
  readonly origin: string;
  readonly host: string;
  /** Clock of the cloud less ours, milliseconds, where the answer told. */
  readonly skewMs: number | undefined;
}

/** What the codes that match a pattern mean. */
export type CodeRow = readonly [RegExp, FailureReason, CodeMeaning['advice']];

/** What `code` means: the first pattern that matches the whole of it decides, in any case; undefined = none does. */
export function findMeaning(code: string, rows: readonly CodeRow[]): CodeMeaning | undefined {
  for (const [pattern, reason, advice] of rows) {
    if (new RegExp(`^(?:${pattern.source})$`, 'i').test(code)) return { reason, advice };
  }
  return undefined;
}
