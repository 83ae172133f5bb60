// The command `cleanup`: undoes a whole installation, or says what that would remove.
import { cleanUp } from '../controller/clean-up.ts';
import { KubeError } from '../core/errors.ts';
import { leaseName } from '../core/names.ts';
import { readLeaseHolder } from '../kube/lease-holder.ts';
import { connect } from './connect.ts';
import type { Command } from './lifecycle.ts';
import { readSettings } from './settings.ts';

const HELP = `registry-credential-helper cleanup removes everything that one installation wrote into the cluster: its webhook, the
ImagePullSecret resources that it made because they were declared, its references from ServiceAccounts, then its Secrets, then its own master copy. Foreign objects and foreign references stay.
Stop the controller first: it would write everything again, so cleanup refuses while another process holds the Lease.

Usage: registry-credential-helper cleanup [FLAGS]

Examples:
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --dry-run
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --instance=blue
`;

export const cleanupCommand: Command = {
  name: 'cleanup',
  help: HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('cleanup', args);
    const { client, logger, namespace } = connect(settings, version);
    const { instance, dryRun } = settings;
    try {
      const holder = await readLeaseHolder(client, { namespace, name: leaseName(instance), now: Date.now(), signal });
      if (holder !== undefined && !dryRun) {
        process.stderr.write(
          `cleanup: ${holder} runs this installation and would write everything again: stop it first\n`,
        );
        return 1;
      }
      const { references, secrets, failed } = await cleanUp({
        client,
        instance,
        namespace,
        dryRun,
        now: Date.now,
        random: Math.random,
        print: (line) => void process.stdout.write(`${line}\n`),
        onFailure: ({ write, error }) =>
          logger.error('Could not be removed', { namespace: write.namespace, name: write.name, error }),
        onUnknown: (what, error) =>
          void process.stderr.write(`cleanup: cannot look for ${what}, left alone: ${error.message}\n`),
        onReadFailure: (kind, error) =>
          void process.stderr.write(`cleanup: cannot list ${kind}, trying again: ${error.message}\n`),
        signal,
      });
      const verb = dryRun ? 'would be removed' : 'removed';
      process.stdout.write(`${references} references and ${secrets} Secrets ${verb}, ${failed} failed\n`);
      return failed === 0 ? 0 : 1;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      process.stderr.write(`cleanup: ${error.message}\n`);
      return 1;
    } finally {
      await client.close();
    }
  },
};
