// The flags of the command `hosts`: which list, which file, how it is written.
import { parseDuration } from '../core/duration.ts';
import { parseSwitch } from './flag-values.ts';

/** What the flags say. */
export interface HostsFlags {
  /** Where the ConfigMap is mounted. */
  readonly configFolder: string;
  readonly file: string;
  readonly lockFile: string;
  /** Never replace the file by rename. */
  readonly inPlace: boolean;
  /** Milliseconds. */
  readonly intervalMs: number;
  /** Remove the block and end. */
  readonly cleanup: boolean;
  /** Remove it, try again until it is gone, and then do nothing until the process is asked to end. */
  readonly cleanupAndStay: boolean;
  readonly cleanupOnExit: boolean;
}

const DEFAULT_FILE = '/host/etc/hosts';
const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 3_600_000;

/** The flags as rows of the table in `flags.ts`. */
export const HOSTS_FLAGS = [
  {
    name: 'config-folder',
    value: 'FOLDER',
    help: 'where the ConfigMap updater-config is mounted, with its key hosts.yaml (default: /config)',
    commands: ['hosts'],
  },
  {
    name: 'hosts-file',
    value: 'FILE',
    help: `the hosts file to keep; mount its folder, not the file (default: ${DEFAULT_FILE})`,
    commands: ['hosts'],
  },
  {
    name: 'lock-file',
    value: 'FILE',
    help: 'the file that exists while somebody writes the hosts file, as dotlockfile makes it (default: --hosts-file with .lock)',
    commands: ['hosts'],
  },
  {
    name: 'in-place',
    value: 'true|false',
    help: 'never replace the hosts file by rename: for nodes with SELinux, and where other Pods mount the file (default: false, which still writes in place where a rename is refused)',
    commands: ['hosts'],
  },
  {
    name: 'interval',
    value: 'DURATION',
    help: 'one cycle: everything is looked at anew this often, besides what is noticed at once (default: 30s)',
    commands: ['hosts'],
  },
  { name: 'cleanup', value: undefined, help: 'remove the block and end', commands: ['hosts'] },
  {
    name: 'cleanup-and-stay',
    value: undefined,
    help: 'remove the block, try again until it is gone, be ready from then on, and write nothing more',
    commands: ['hosts'],
  },
  {
    name: 'cleanup-on-exit',
    value: 'true|false',
    help: 'remove the block when the process is asked to end; a restart then leaves a gap (default: false)',
    commands: ['hosts'],
  },
] as const;

/** Reads them; what is wrong goes to `issues`. */
export function parseHostsFlags(values: ReadonlyMap<string, string>, issues: string[]): HostsFlags {
  const file = values.get('hosts-file') ?? DEFAULT_FILE;
  const interval = values.get('interval') ?? '30s';
  const intervalMs = parseDuration(interval) ?? 0;
  if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
    issues.push(`--interval=${interval} must be a duration from 1s to 1h, e.g. 30s`);
  }
  return {
    configFolder: values.get('config-folder') ?? '/config',
    file,
    lockFile: values.get('lock-file') ?? `${file}.lock`,
    inPlace: parseSwitch(values, 'in-place', { issues }),
    intervalMs,
    cleanup: parseSwitch(values, 'cleanup', { issues }),
    cleanupAndStay: parseSwitch(values, 'cleanup-and-stay', { issues }),
    cleanupOnExit: parseSwitch(values, 'cleanup-on-exit', { issues }),
  };
}
