// What a Lease says, what it means to us, and what we write into it: the decisions of leader election, without time or calls.
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeObject } from './client.ts';

/** The part of a Lease that decides. */
export interface LeaseRecord {
  /** Empty = nobody: it was released. */
  readonly holder: string;
  readonly durationMs: number;
  readonly transitions: number;
  readonly resourceVersion: string;
}

/** A record and when *we* first saw it like this, on our own clock: whether it is still renewed shows without comparing clocks. */
export interface LeaseObservation {
  readonly record: LeaseRecord;
  /** Milliseconds on a clock that is never set. */
  readonly firstSeenAt: number;
}

/** Reads a Lease; what is missing counts as nobody's. */
export function readLease(lease: KubeObject): LeaseRecord {
  const spec = isRecord(lease.spec) ? lease.spec : {};
  const metadata = isRecord(lease.metadata) ? lease.metadata : {};
  const { holderIdentity, leaseDurationSeconds, leaseTransitions } = spec;
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    durationMs: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1_000 : 0,
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    resourceVersion: typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : '',
  };
}

/** Notes what was read at `at`; a Lease that did not change keeps the instant when it was first seen. */
export function observeLease(before: LeaseObservation | undefined, record: LeaseRecord, at: number): LeaseObservation {
  return before?.record.resourceVersion === record.resourceVersion ? before : { record, firstSeenAt: at };
}

/** True when `identity` may take or renew the Lease at `at`: it is ours, nobody's, or not renewed for its whole duration. */
export function mayHold({ record, firstSeenAt }: LeaseObservation, identity: string, at: number): boolean {
  return record.holder === identity || record.holder === '' || at >= firstSeenAt + record.durationMs;
}

/** The Lease to write in order to hold it, made from the one that was read: its version guards the write. */
export function buildHeldLease(
  lease: KubeObject,
  {
    identity,
    leaseDurationMs,
    now,
  }: { readonly identity: string; readonly leaseDurationMs: number; readonly now: EpochMs },
): KubeObject {
  const spec = isRecord(lease.spec) ? lease.spec : {};
  const { holder, transitions } = readLease(lease);
  const isRenewal = holder === identity;
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1_000),
      acquireTime: isRenewal ? spec.acquireTime : formatMicroTime(now),
      renewTime: formatMicroTime(now),
      leaseTransitions: isRenewal ? transitions : transitions + 1,
    },
  };
}

/** The Lease to write in order to let go of it: another takes it at once. */
export function buildReleasedLease(lease: KubeObject, now: EpochMs): KubeObject {
  const spec = isRecord(lease.spec) ? lease.spec : {};
  return {
    ...lease,
    spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: formatMicroTime(now) },
  };
}

/** RFC 3339 with six digits of a second: the API server answers 400 to three. */
export function formatMicroTime(at: EpochMs): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
