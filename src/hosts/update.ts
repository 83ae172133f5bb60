// What one update of a hosts file found and did, and how that is gathered over its attempts.
import type { HostsRemark } from '../core/hosts-survey.ts';

/** How the file was written. */
export type HostsWrite = 'replaced' | 'in-place';

/** What one update found and did. */
export interface HostsUpdate {
  /** What the file holds now. */
  readonly text: string;
  /** undefined = nothing differed, nothing was written. */
  readonly how: HostsWrite | undefined;
  readonly remarks: readonly HostsRemark[];
  /** Bytes that others had written into a replaced file and that were brought into its successor. */
  readonly carried: number;
  /** Whole-file rewrites of replaced files that could not be brought. */
  readonly lost: number;
  /** Replaced files that grew too long to be read: what was written into them was not brought. */
  readonly unread: number;
  /** Code of the error with which the folder refused to be synced, `EACCES`: a power cut may bring the replaced file back. */
  readonly unsynced: string | undefined;
}

/** An update that is not at its end. */
export interface UpdateProgress {
  how: HostsWrite | undefined;
  /** By what they say. */
  readonly remarks: Map<string, HostsRemark>;
  carried: number;
  lost: number;
  unread: number;
  unsynced: string | undefined;
  /** Appended for this update, and not used yet. */
  room: string;
}

/** Nothing found yet, nothing done. */
export function startUpdate(): UpdateProgress {
  return { how: undefined, remarks: new Map(), carried: 0, lost: 0, unread: 0, unsynced: undefined, room: '' };
}

/** `text` = what the file holds now. */
export function endUpdate(progress: UpdateProgress, text: string): HostsUpdate {
  const { how, remarks, carried, lost, unread, unsynced } = progress;
  return { text, how, remarks: [...remarks.values()], carried, lost, unread, unsynced };
}
