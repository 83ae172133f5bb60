// What is said about credentials and the sessions that they are asked for with.
import type { EpochMs } from '../core/types.ts';
import type { CredentialOutcome, IdentityOutcome } from '../credentials/store.ts';
import type { Logger } from '../observability/logger.ts';
import type { RecordOnConfigMap } from './report-configuration.ts';

/** Tells of a credential: that it was obtained, obtained again, or could not be. */
export function reportOutcome(logger: Logger, onConfigMap: RecordOnConfigMap, outcome: CredentialOutcome): void {
  const credential = outcome.request.cacheKey;
  if (!outcome.ok) {
    const { failure, error, validUntil } = outcome;
    const left = leftOf(outcome);
    logger.error('Credential could not be obtained', {
      credential,
      reason: failure.reason,
      error,
      validUntil: validUntil === undefined ? undefined : iso(validUntil),
    });
    onConfigMap(
      'Warning',
      'CredentialUnavailable',
      `${failure.reason}: ${failure.message.replace(/\.?$/, '.')} ${left}.`,
    );
    return;
  }
  const { expiresAt, hosts, warnings, identity } = outcome.credential;
  logger.info('Obtained a credential', {
    credential,
    identity,
    hosts: outcome.request.hosts ?? hosts,
    expiresAt: expiresAt === undefined ? undefined : iso(expiresAt),
  });
  if (outcome.recovered) onConfigMap('Normal', 'CredentialRestored', `${credential}: a credential was obtained again.`);
  for (const warning of warnings) {
    logger.warn('Credential has a remark', { credential, warning });
    onConfigMap('Warning', 'CredentialWarning', `${credential}: ${warning}`);
  }
}

/** What there is while a credential cannot be obtained. */
function leftOf(outcome: Extract<CredentialOutcome, { ok: false }>): string {
  if (!('validUntil' in outcome)) return 'There is none to fall back on';
  const { validUntil } = outcome;
  return validUntil === undefined
    ? 'The last good one stays: it does not expire'
    : `The last good one works until ${iso(validUntil)}`;
}

/** Tells of a session: that it was obtained, or could not be renewed. */
export function reportIdentity(logger: Logger, { key, error, expiresAt }: IdentityOutcome): void {
  const identity = { identity: key, expiresAt: expiresAt === undefined ? undefined : iso(expiresAt) };
  if (error === undefined) logger.info('Obtained a session', identity);
  else logger.warn('Session could not be renewed', { ...identity, error });
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}
