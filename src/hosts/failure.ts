// Why the hosts file could not be kept: a closed list, each with what to do about it.

/** The closed list that `docs/hosts-updater.md` explains. */
export const HOSTS_FAILURES = [
  'FileMissing',
  'FileReadOnly',
  'FileStale',
  'FileTooLong',
  'FileUnstable',
  'LockBusy',
  'LockUnavailable',
  'Unexpected',
] as const;

export type HostsFailureReason = (typeof HOSTS_FAILURES)[number];

/** One pass over the hosts file came to nothing; the file is as it was. */
export class HostsFailure extends Error {
  readonly reason: HostsFailureReason;

  constructor(reason: HostsFailureReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HostsFailure';
    this.reason = reason;
  }
}

/** The code of an error of the operating system, `ENOENT`; empty for any other. */
export function codeOf(error: unknown): string {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** True for what says that nobody may write there. */
export function isReadOnly(error: unknown): boolean {
  return ['EROFS', 'EACCES', 'EPERM'].includes(codeOf(error));
}
