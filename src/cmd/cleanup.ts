// The command `cleanup`: undoes a whole installation, or says what that would remove.
import { hostname } from 'node:os';
import { cleanUp, type CleanUpOutcome } from '../controller/clean-up.ts';
import { tellLeftBehind } from '../controller/tell-left-behind.ts';
import { KubeError, ProviderError } from '../core/errors.ts';
import { count, listed } from '../core/take-over-words.ts';
import { Identities } from '../credentials/identities.ts';
import { createRevocations, type Revocations } from '../credentials/revocation.ts';
import { Turns } from '../credentials/turns.ts';
import { SecretSources } from '../kube/secret-sources.ts';
import { createProviders } from '../providers/table.ts';
import { connect, type Connection } from './connect.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import type { Command } from './lifecycle.ts';
import { createProviderWorld } from './provider-world.ts';
import { readSettings, type Settings } from './settings.ts';
import { createStandstill, type Standstill } from './standstill.ts';
import { startHostsEnd, type HostsLeft } from './start-hosts-end.ts';

const HELP = `registry-credential-helper cleanup removes everything that one installation wrote into the cluster: its webhooks, the
ImagePullSecret resources that it made because they were declared, its references from ServiceAccounts, then its Secrets, then what it
had made at clouds (long-term tokens, service accounts), then its own master copy, then a
ConfigMap that was made from the values of a chart and that nobody edited. Foreign objects and foreign references stay. What
cannot be revoked at its cloud is named, and the master copy stays, so that cleanup can be run again; the identities are those of the
controller: its Secrets, variables and mounted tokens.
With --namespaces it removes references and Secrets from those namespaces alone, with rights in those alone, and leaves what other
namespaces may still use; where those are all that the installation serves, --whole-installation removes the rest as well.
Stop the controller first: it would write everything again, so cleanup refuses while another process holds the Lease; or have it stopped
with --stop-deployment. With --end-hosts the hosts block goes from every node as well. When something in the cluster could not be removed,
both run again as before. docs/uninstall.md tells of both.

Usage: registry-credential-helper cleanup [FLAGS]

Examples:
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --dry-run
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --instance=blue
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --namespaces=team-b
  registry-credential-helper cleanup --kubeconfig ~/.kube/config --namespaces=team-a,team-b --whole-installation
  registry-credential-helper cleanup --stop-deployment=kube-system/registry-credential-helper --deadline=4m --leave-unreachable

Exit codes: 0 everything is gone, or with --leave-unreachable only what could not be reached is left; 1 something is left; 2 wrong usage.
`;

const AGAIN = 'run cleanup again';

/** Said at the end of a run that leaves what other namespaces may use. */
const KEPT =
  'Webhooks, declared resources, what was made at clouds and the master copy stay: with --whole-installation they go, too';

export const cleanupCommand: Command = {
  name: 'cleanup',
  help: HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('cleanup', args);
    const connection = connect(settings, version);
    const deadline = createDeadline(settings.cleanup.deadlineMs, signal);
    const sources = new SecretSources({
      client: connection.client,
      onChange: () => undefined,
      report: () => undefined,
      now: Date.now,
      random: Math.random,
    });
    const { cleanup, instance } = settings;
    const { namespace } = connection;
    const onUnknown = createTellUnknown();
    const common = commonOf({ settings, connection, deadline, onUnknown });
    const standstill = createStandstill({
      ...common,
      cleanup,
      instance,
      namespace,
      isWhole: isWhole(settings),
      complain,
    });
    let ending: Ending = 'failed';
    try {
      ending = await undo({ settings, connection, deadline, onUnknown, sources, standstill });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      const isOver = error.reason === 'Aborted' && deadline.isOver();
      complain(isOver ? `the time was over before everything was removed: ${AGAIN}` : error.message);
    } finally {
      await sources.stop();
      if (ending === 'failed') await standstill.end();
      await connection.client.close();
    }
    return ending === 'done' || (ending === 'unreached' && cleanup.leaveUnreachable) ? 0 : 1;
  },
};

/** `unreached` = only what a cloud or a node has is left; `failed` = something in the cluster is. */
type Ending = 'done' | 'unreached' | 'failed';

interface Undoing {
  readonly settings: Settings;
  readonly connection: Connection;
  readonly deadline: Deadline;
  readonly sources: SecretSources;
  readonly standstill: Standstill;
  readonly onUnknown: (what: string, error: KubeError) => void;
}

/** Throws KubeError when the cluster may not be read, or there was no time. */
async function undo(undoing: Undoing): Promise<Ending> {
  const { settings, connection, standstill } = undoing;
  const { dryRun, cleanup, instance } = settings;
  const { namespace } = connection;
  let outcome: CleanUpOutcome | undefined;
  let hosts: (() => Promise<HostsLeft>) | undefined;
  for (let before: string | undefined; ;) {
    const inTheWay = await standstill.begin();
    if (inTheWay !== undefined) {
      complain(inTheWay);
      return 'failed';
    }
    const led = await standstill.ledVersion();
    if (outcome !== undefined) {
      if (dryRun || led === before) break;
      complain('the controller ran again meanwhile: what it wrote is removed, too');
    }
    before = led;
    hosts ??= await startHostsEnd({ ...commonOf(undoing), daemonSet: cleanup.daemonSet });
    if (hosts === undefined) return 'failed';
    outcome = await removeAll(undoing);
    if (outcome.failed > 0) return 'failed';
  }
  if (outcome.leftBehind.length > 0) {
    const onFailed = (error: Error): void => complain(`no Event could be written: ${error.message}`);
    const what = outcome.leftBehind;
    await tellLeftBehind({ ...commonOf(undoing), namespace, instance, what, identity: hostname(), onFailed });
  }
  const hostsLeft = (await hosts?.()) ?? 'none';
  if (hostsLeft === 'all') return 'failed';
  return outcome.leftBehind.length > 0 || hostsLeft === 'some' ? 'unreached' : 'done';
}

/** One round. Throws KubeError. */
async function removeAll(undoing: Undoing): Promise<CleanUpOutcome> {
  const { settings, connection, deadline, sources } = undoing;
  const { logger, namespace, configMap } = connection;
  const { instance, dryRun, namespaces, cleanup } = settings;
  const outcome = await cleanUp({
    ...{ ...commonOf(undoing), isWhole: isWhole(settings) },
    ...{ namespace, instance, configMap, namespaces },
    mayLack: cleanup.leaveUnreachable,
    revocations: revocationsOf(connection, sources, settings),
    random: Math.random,
    onFailure: ({ write, error }) =>
      logger.error('Could not be removed', { namespace: write.namespace, name: write.name, error }),
    onLeftBehind: (what, error) =>
      complain(
        `left at the cloud: what ${what} left; the master copy stays, run cleanup again: ${connection.secrets.mask(messageOf(error, deadline))}`,
      ),
    onUnreadable: (name) =>
      complain(
        `may not read ServiceAccounts and Secrets in the namespace ${name}, left alone: give it the Role of docs/rbac-namespaced.yaml, or, where it holds nothing of this installation, leave it out`,
      ),
    onAbsent: (name) =>
      complain(`there is no namespace ${name}: correct --namespaces, or, where it was deleted, leave it out`),
    onOutOfTime: (names) =>
      complain(`there was no time for ${count(names.length, 'namespace')}: ${listed(names)}; ${AGAIN}`),
    onReadFailure: (kind, error) => complain(`cannot list ${kind}, trying again: ${error.message}`),
  });
  const { references, secrets, failed } = outcome;
  const verb = dryRun ? 'would be removed' : 'removed';
  print(`${references} references and ${secrets} Secrets ${verb}, ${failed} failed`);
  if (!isWhole(settings)) print(KEPT);
  return outcome;
}

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

function commonOf({
  settings,
  connection,
  deadline,
  onUnknown,
}: Pick<Undoing, 'settings' | 'connection' | 'deadline' | 'onUnknown'>) {
  const { client } = connection;
  const { patience, end: signal } = deadline;
  return { client, dryRun: settings.dryRun, now: Date.now, print, onUnknown, patience, signal };
}

/** True = what all namespaces share goes as well. */
function isWhole({ namespaces, wholeInstallation }: Settings): boolean {
  return namespaces === undefined || wholeInstallation;
}

/** Says it once of each: it is looked for more than once. */
function createTellUnknown(): Undoing['onUnknown'] {
  const told = new Set<string>();
  return (what, { message }) => {
    if (!told.has(message)) complain(`cannot look for ${what}, left alone: ${message}`);
    told.add(message);
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`cleanup: ${line}\n`);
}

/** Messages of clouds' failures hold no secret; of anything else nothing is known. */
function messageOf(error: unknown, deadline: Deadline): string {
  if (deadline.isOver()) return 'there was no more time';
  return error instanceof ProviderError ? `${error.reason}: ${error.message}` : 'an unexpected failure';
}
