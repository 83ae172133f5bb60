// The four kinds of failure, and the one place that says what to do about each.

/** Why a credential could not be obtained; the closed list that `docs/reasons.md` explains. */
export type FailureReason =
  /** The cloud does not know the access key, or it is disabled. */
  | 'AccessKeyInvalid'
  /** The signature was wrong: the secret half of the key does not fit. */
  | 'SignatureMismatch'
  /** The node's clock is off by more than the cloud accepts. */
  | 'ClockSkew'
  /** A session token of the identity expired or was refused; a new one helps. */
  | 'SessionExpired'
  /** The identity may not do it. */
  | 'PermissionDenied'
  /** The registry instance is unknown in that region and account. */
  | 'InstanceNotFound'
  /** The registry instance exists but does not run. */
  | 'InstanceNotReady'
  /** The cloud asked us to slow down. */
  | 'Throttled'
  /** No answer, a broken answer, or an error of the cloud itself. */
  | 'CloudUnavailable'
  /** The cloud refused the request for a reason that only a change of the configuration cures. */
  | 'RequestRefused'
  /** The Secret, file or service that the identity comes from is missing or incomplete. */
  | 'IdentityUnavailable'
  /** The program's own fault. */
  | 'Unexpected';

/** What a failed call to the Kubernetes API means. */
export type KubeErrorReason =
  | 'Conflict'
  | 'AlreadyExists'
  | 'NotFound'
  | 'NamespaceTerminating'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Invalid'
  | 'Throttled'
  | 'Expired'
  | 'Aborted'
  | 'Unavailable'
  /** It answered that an admission webhook which has to answer did not. */
  | 'WebhookFailed'
  | 'BadAnswer';

/** Settings or configuration that cannot be used; `issues` are ready to be shown. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(issues.join('\n'));
    this.issues = issues;
  }
}

/** A provider could not obtain a credential. The message is one sentence for people and holds no secret. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly reason: FailureReason;
  /** The cloud's id of the request, for its support. */
  readonly requestId: string | undefined;
  /** How long the cloud asked us to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: FailureReason,
    message: string,
    details: { requestId?: string | undefined; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** A call to the Kubernetes API failed. The message names verb, object and status, never headers or bodies. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly reason: KubeErrorReason;
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** From `Retry-After`, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: KubeErrorReason,
    message: string,
    details: { status?: number | undefined; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Something that cannot happen, did: a bug. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** True when something new of the same kind helps: a session, or the token that one is made from. */
export function isSessionExpired(error: unknown): boolean {
  return error instanceof ProviderError && error.reason === 'SessionExpired';
}

/** What to do about a failure. */
export type Disposition =
  /** Try again soon, with growing pauses; at the earliest after `afterMs`. */
  | { readonly kind: 'retry'; readonly afterMs?: number | undefined }
  /** The world moved: nothing failed; plan again from what is there now. */
  | { readonly kind: 'replan' }
  /** Nothing helps until an input changes: look again slowly, and at once when one does. */
  | { readonly kind: 'terminal' };

const TERMINAL_FAILURES: ReadonlySet<FailureReason> = new Set([
  'AccessKeyInvalid',
  'SignatureMismatch',
  'PermissionDenied',
  'InstanceNotFound',
  'RequestRefused',
  'IdentityUnavailable',
]);

/** Says what to do about `error`; anything unknown is retried with growing pauses. */
export function disposition(error: unknown): Disposition {
  if (error instanceof ProviderError) {
    return TERMINAL_FAILURES.has(error.reason) ? { kind: 'terminal' } : { kind: 'retry', afterMs: error.retryAfterMs };
  }
  if (error instanceof KubeError) return kubeDisposition(error);
  if (error instanceof ConfigError) return { kind: 'terminal' };
  return { kind: 'retry' };
}

function kubeDisposition(error: KubeError): Disposition {
  switch (error.reason) {
    case 'Conflict':
    case 'AlreadyExists':
    case 'NotFound':
    case 'NamespaceTerminating':
      return { kind: 'replan' };
    case 'Forbidden':
    case 'Invalid':
      return { kind: 'terminal' };
    case 'Throttled':
    case 'Expired':
    case 'Unauthorized':
    case 'Unavailable':
    case 'WebhookFailed':
    case 'BadAnswer':
    case 'Aborted':
      return { kind: 'retry', afterMs: error.retryAfterMs };
  }
}
