// The command `hosts`: keeps a block of names in the hosts file of the node that it runs on, or says what it would write.
import { Resolver } from 'node:dns/promises';
import { createHostsEnd } from '../hosts/end.ts';
import { HostsFailure } from '../hosts/failure.ts';
import { previewHosts } from '../hosts/preview.ts';
import { createPrivateDnsCheck } from '../hosts/private-dns.ts';
import { createHostsReport } from '../hosts/report.ts';
import { HostsUpdater } from '../hosts/updater.ts';
import { createHostsMetrics } from '../observability/hosts-metrics.ts';
import { startHealthServer } from '../observability/http.ts';
import { createLogger, type Logger } from '../observability/logger.ts';
import { SecretRegistry } from '../observability/redaction.ts';
import type { Command } from './lifecycle.ts';
import { readSettings, type Settings } from './settings.ts';

const HELP = `registry-credential-helper hosts keeps one marked block in the hosts file of a node as the key hosts.yaml of the mounted
ConfigMap updater-config says. It runs as a DaemonSet. Every byte outside of the block stays; see docs/hosts-updater.md.

Usage: registry-credential-helper hosts [FLAGS]

Examples:
  registry-credential-helper hosts --config-folder=/config --hosts-file=/host/etc/hosts
  registry-credential-helper hosts --config-folder=/config --hosts-file=/host/etc/hosts --dry-run
  registry-credential-helper hosts --hosts-file=/host/etc/hosts --cleanup
  registry-credential-helper hosts --hosts-file=/host/etc/hosts --cleanup-and-stay
`;

/** How long DNS is waited for, milliseconds: nothing hangs on its answer. */
const DNS_TIMEOUT_MS = 2_000;

export const hostsCommand: Command = {
  name: 'hosts',
  help: HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('hosts', args);
    if (settings.dryRun) return preview(settings);
    const { hosts, logLevel, logFormat } = settings;
    const logger = createLogger({ level: logLevel, format: logFormat, secrets: new SecretRegistry() });
    const followsList = !hosts.cleanupAndStay;
    const metrics = createHostsMetrics({ version, now: Date.now, process: true, followsList });
    const report = createHostsReport({ logger, metrics });
    const { observer } = report;
    const checkDns = createPrivateDnsCheck(new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 }), (resolved) => {
      const cure = 'take the item out: it wins over DNS for as long as it is there';
      logger.warn('DNS resolves this name inside of the network already', { ...resolved, cure });
    });
    const updater = new HostsUpdater({
      folder: hosts.configFolder,
      file: hosts.file,
      lockPath: hosts.lockFile,
      inPlace: hosts.inPlace,
      intervalMs: hosts.intervalMs,
      observer: {
        ...observer,
        kept(kept) {
          observer.kept(kept);
          void checkDns(kept.pairs);
        },
      },
      now: Date.now,
      random: Math.random,
    });
    if (hosts.cleanup) return (await finish(updater, logger, true)) ? 0 : 1;

    const end = createHostsEnd({
      updater,
      intervalMs: hosts.intervalMs,
      onFailed: (failure) => observer.failed(failure),
      onGone() {
        // Also where there is no file any more.
        metrics.kept({ items: 0, conflicts: 0, carriedBytes: 0 });
        logger.info('Block is not in the hosts file any more: waiting to be ended');
      },
    });
    const ready = hosts.cleanupAndStay ? [{ name: 'block-removed', check: () => end.problem() }] : report.ready;
    const server = await startHealthServer({ address: settings.metricsAddress, metrics, live: [], ready });
    logger.info('Started', { version, configFolder: hosts.configFolder, hostsFile: hosts.file });
    const isDone = hosts.cleanupAndStay
      ? await end.run(signal)
      : await updater.run(signal).then(() => finish(updater, logger, hosts.cleanupOnExit));
    await server?.close();
    logger.info('Stopped');
    return isDone ? 0 : 1;
  },
};

/** Removes the block if wanted; false = something was left undone. */
async function finish(updater: HostsUpdater, logger: Logger, isRemoved: boolean): Promise<boolean> {
  try {
    const isGone = isRemoved ? await updater.remove() : true;
    await updater.close();
    return isGone;
  } catch (error) {
    if (!(error instanceof HostsFailure)) throw error;
    logger.error('Hosts file could not be left as it should be', { error });
    return false;
  }
}

function preview({ hosts }: Settings): number {
  const wanted = { folder: hosts.configFolder, file: hosts.file, isRemoved: hosts.cleanup || hosts.cleanupAndStay };
  const { isKnown, diff, remarks } = previewHosts(wanted);
  for (const remark of remarks) process.stderr.write(`hosts: ${remark}\n`);
  process.stdout.write(diff);
  return isKnown ? 0 : 1;
}
