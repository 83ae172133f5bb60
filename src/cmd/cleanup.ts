// The command `cleanup`: undoes a whole installation, or says what that would remove.
import { cleanUp } from '../controller/clean-up.ts';
import { KubeError, ProviderError } from '../core/errors.ts';
import { leaseName } from '../core/names.ts';
import { Identities } from '../credentials/identities.ts';
import { createRevocations, type Revocations } from '../credentials/revocation.ts';
import { Turns } from '../credentials/turns.ts';
import { readLeaseHolder } from '../kube/lease-holder.ts';
import { SecretSources } from '../kube/secret-sources.ts';
import { createProviders } from '../providers/table.ts';
import { connect, type Connection } from './connect.ts';
import type { Command } from './lifecycle.ts';
import { createProviderWorld } from './provider-world.ts';
import { readSettings, type Settings } from './settings.ts';

const HELP = `registry-credential-helper cleanup removes everything that one installation wrote into the cluster: its webhooks, the
ImagePullSecret resources that it made because they were declared, its references from ServiceAccounts, then its Secrets, then what it
had made at clouds (long-term tokens, service accounts), then its own master copy, then a
ConfigMap that was made from the values of a chart and that nobody edited. Foreign objects and foreign references stay. What
cannot be revoked at its cloud is named, and the master copy stays, so that cleanup can be run again; the identities are those of the
controller: its Secrets, variables and mounted tokens.
With --namespaces it removes references and Secrets from those namespaces alone, with rights in those alone, and leaves what other
namespaces may still use; where those are all that the installation serves, --whole-installation removes the rest as well.
Stop the controller first: it would write everything again, so cleanup refuses while another process holds the Lease.

Usage: registry-credential-helper cleanup [FLAGS]

Examples:
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --dry-run
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --instance=blue
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --namespaces=team-b
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --namespaces=team-a,team-b --whole-installation
`;

/** Said at the end of a run that leaves what other namespaces may use. */
const KEPT =
  'Webhooks, declared resources, what was made at clouds and the master copy stay: with --whole-installation they go, too';

export const cleanupCommand: Command = {
  name: 'cleanup',
  help: HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('cleanup', args);
    const connection = connect(settings, version);
    const { client, logger, namespace, configMap } = connection;
    const { instance, dryRun, namespaces } = settings;
    const isWhole = namespaces === undefined || settings.wholeInstallation;
    const sources = new SecretSources({
      client,
      onChange: () => undefined,
      report: () => undefined,
      now: Date.now,
      random: Math.random,
    });
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
        configMap,
        namespaces,
        isWhole,
        dryRun,
        revocations: revocationsOf(connection, sources, settings),
        now: Date.now,
        random: Math.random,
        print: (line) => void process.stdout.write(`${line}\n`),
        onFailure: ({ write, error }) =>
          logger.error('Could not be removed', { namespace: write.namespace, name: write.name, error }),
        onUnknown: (what, error) =>
          void process.stderr.write(`cleanup: cannot look for ${what}, left alone: ${error.message}\n`),
        onLeftBehind: (what, error) =>
          void process.stderr.write(
            `cleanup: left at the cloud: what ${what} left; the master copy stays, run cleanup again: ${connection.secrets.mask(messageOf(error))}\n`,
          ),
        onUnreadable: (name) =>
          void process.stderr.write(
            `cleanup: may not read ServiceAccounts and Secrets in the namespace ${name}, left alone: give it the Role of docs/rbac-namespaced.yaml, or, where it holds nothing of this installation, leave it out\n`,
          ),
        onAbsent: (name) =>
          void process.stderr.write(
            `cleanup: there is no namespace ${name}: correct --namespaces, or, where it was deleted, leave it out\n`,
          ),
        onReadFailure: (kind, error) =>
          void process.stderr.write(`cleanup: cannot list ${kind}, trying again: ${error.message}\n`),
        signal,
      });
      const verb = dryRun ? 'would be removed' : 'removed';
      process.stdout.write(`${references} references and ${secrets} Secrets ${verb}, ${failed} failed\n`);
      if (!isWhole) process.stdout.write(`${KEPT}\n`);
      return failed === 0 ? 0 : 1;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      process.stderr.write(`cleanup: ${error.message}\n`);
      return 1;
    } finally {
      await sources.stop();
      await client.close();
    }
  },
};

/** As the controller revokes, but that nothing is fetched meanwhile. */
function revocationsOf({ client, secrets }: Connection, sources: SecretSources, settings: Settings): Revocations {
  const register = (key: string, values: readonly string[]): void => secrets.register(key, values);
  return createRevocations({
    providers: createProviders(),
    world: createProviderWorld({ client, read: (reference, signal) => sources.read(reference, signal), settings }),
    register,
    identities: new Identities({ now: Date.now, thresholdMs: () => 0, register }),
    turns: new Turns(),
  });
}

/** Messages of clouds' failures hold no secret; of anything else nothing is known. */
function messageOf(error: unknown): string {
  return error instanceof ProviderError ? `${error.reason}: ${error.message}` : 'an unexpected failure';
}
