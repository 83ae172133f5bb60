// The metrics of the command `hosts`, in a registry of their own: the other commands do not give them.
import { collectDefaultMetrics, Counter, Gauge, Registry } from '@prometheus-io/client';

const PREFIX = 'registry_credential_helper';

/** The metrics, as functions. */
export interface HostsMetrics {
  /** The list was read; `issues` = errors and warnings. */
  listRead(read: { readonly isValid: boolean; readonly issues: number }): void;
  /** One pass ended well; `write` = the file was written, both words from closed lists. */
  kept(kept: {
    readonly items: number;
    readonly conflicts: number;
    readonly carriedBytes: number;
    readonly write?: { readonly how: string; readonly reason: string };
  }): void;
  /** One pass failed; `reason` from a closed list. */
  failed(reason: string): void;
  contended(): void;
  /** Text in the Prometheus format, and its content type. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/**
 * Builds them. `now` in epoch milliseconds; `process` = add those of the process and of Node; `followsList` false = no list is wanted, and
 * nothing is said of one (default true).
 */
export function createHostsMetrics(options: {
  readonly version: string;
  readonly now: () => number;
  readonly process?: boolean;
  readonly followsList?: boolean;
}): HostsMetrics {
  const registry = new Registry();
  const registers = [registry];
  const ofList = options.followsList === false ? [] : registers;
  const gauge = (name: string, help: string, where = registers) =>
    new Gauge({ name: `${PREFIX}_${name}`, help, registers: where });
  if (options.process === true) collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: 1_000 });
  new Gauge({ name: `${PREFIX}_build_info`, help: 'Version of the program', labelNames: ['version'], registers }).set(
    { version: options.version },
    1,
  );
  const valid = gauge('hosts_list_valid', '1 = the list of hosts can be used', ofList);
  const issues = gauge('hosts_list_issues', 'Errors and warnings about the list of hosts', ofList);
  const items = gauge('hosts_items', 'Lines that the block should hold');
  const present = gauge('hosts_block_present', '1 = the block is in the hosts file');
  const conflicts = gauge('hosts_conflicts', 'Lines outside of the block that name the same hosts');
  const healthy = gauge('hosts_file_kept', '1 = the last pass over the hosts file succeeded');
  const lastWrite = gauge('hosts_last_write_timestamp_seconds', 'When the hosts file was last written');
  const carried = new Counter({
    name: `${PREFIX}_hosts_carried_bytes_total`,
    help: 'Bytes that others appended to a replaced file and that were brought over',
    registers,
  });
  const writes = new Counter({
    name: `${PREFIX}_hosts_writes_total`,
    help: 'Writes of the hosts file',
    labelNames: ['how', 'reason'],
    registers,
  });
  const failures = new Counter({
    name: `${PREFIX}_hosts_failures_total`,
    help: 'Passes that failed',
    labelNames: ['reason'],
    registers,
  });
  const contentions = new Counter({
    name: `${PREFIX}_hosts_contentions_total`,
    help: 'Times that another writer kept undoing the block',
    registers,
  });
  return {
    listRead(read) {
      valid.set(read.isValid ? 1 : 0);
      issues.set(read.issues);
    },
    kept({ items: count, conflicts: found, carriedBytes, write }) {
      items.set(count);
      present.set(count > 0 ? 1 : 0);
      conflicts.set(found);
      healthy.set(1);
      carried.inc(carriedBytes);
      if (write === undefined) return;
      writes.inc(write);
      lastWrite.set(options.now() / 1_000);
    },
    failed(reason) {
      healthy.set(0);
      failures.inc({ reason });
    },
    contended: () => contentions.inc(),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
