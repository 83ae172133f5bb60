// When a password that only a person can replace ends, and from when on people are told.
import type { CredentialFacts } from './resource-status.ts';
import type { EpochMs } from './types.ts';

/** How a password that ends stands. */
export interface Ending {
  readonly endsAt: EpochMs;
  readonly stage: 'valid' | 'near' | 'over';
  /** When the stage changes next; undefined = never. */
  readonly changesAt: EpochMs | undefined;
}

/** People are told this long before at most, milliseconds; of a short life the last quarter. */
const NOTICE_MS = 7 * 86_400_000;

/** The stage; undefined = it does not end, or is renewed. */
export function endingOf(
  credential: Pick<CredentialFacts, 'endsAt' | 'beganAt' | 'issuedAt'> | undefined,
  now: EpochMs,
): Ending | undefined {
  if (credential?.endsAt === undefined) return undefined;
  const { endsAt, issuedAt, beganAt = issuedAt } = credential;
  const noticeAt = endsAt - Math.min(NOTICE_MS, Math.max((endsAt - beganAt) / 4, 0));
  if (now >= endsAt) return { endsAt, stage: 'over', changesAt: undefined };
  return now >= noticeAt
    ? { endsAt, stage: 'near', changesAt: endsAt }
    : { endsAt, stage: 'valid', changesAt: noticeAt };
}

/** An instant as the API writes it: RFC 3339, UTC, seconds. */
export function instantText(at: EpochMs): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
