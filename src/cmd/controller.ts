// The command `controller`: wires settings, cluster, clouds and the controller together, and runs until stopped.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createController } from '../controller/controller.ts';
import { createReport, type EventReason } from '../controller/report.ts';
import { healthChecks } from '../controller/status.ts';
import { parseConfig } from '../core/config.ts';
import type { SpecParser } from '../core/declared-resources.ts';
import { parseImagePullSecret } from '../core/image-pull-secret.ts';
import { declaredSecretName, leaseName } from '../core/names.ts';
import { withUnserved, withUnservedNames } from '../core/unserved-namespaces.ts';
import { createItemParser } from '../credentials/requests.ts';
import { createRevocations } from '../credentials/revocation.ts';
import { CredentialStore } from '../credentials/store.ts';
import { Turns } from '../credentials/turns.ts';
import { EventRecorder } from '../kube/events.ts';
import { runLeaderElection, type LeaderElectionEvent } from '../kube/leader-election.ts';
import { SecretSources } from '../kube/secret-sources.ts';
import { readFieldManagers } from '../kube/writes.ts';
import type { Logger } from '../observability/logger.ts';
import { startHealthServer } from '../observability/http.ts';
import { createMetrics } from '../observability/metrics.ts';
import { createProviders, withResourceProvider } from '../providers/table.ts';
import { connect, type Connection } from './connect.ts';
import { wireDeclaredResources } from './declared.ts';
import type { Command } from './lifecycle.ts';
import { warnOfMissingRights } from './missing-rights.ts';
import { createProviderWorld, readerOf } from './provider-world.ts';
import { readSettings } from './settings.ts';
import { wireValues } from './values.ts';
import { wireWebhook } from './webhook.ts';

const HELP = `registry-credential-helper controller keeps every namespace in scope able to pull: it fetches short-lived tokens, writes
them into Secrets, refers to those from ServiceAccounts, and renews them before they expire.
What it does is said by a ConfigMap, see docs/configuration.md; how it reaches things is said by these flags.

Usage: registry-credential-helper controller [FLAGS]

Examples:
  registry-credential-helper controller --kubeconfig ~/.kube/config --config-map=kube-system/acr-configuration
  registry-credential-helper controller --namespaces=team-a,team-b
  registry-credential-helper controller --metrics-address=127.0.0.1:8080 --log-format=text
  registry-credential-helper controller --cloud-endpoints='{"alibaba":{"cr":{"url":"https://cr-vpc.{region}.aliyuncs.com"}}}'
`;

export const controllerCommand: Command = {
  name: 'controller',
  help: HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('controller', args);
    const metrics = createMetrics({ version, process: true });
    const connection = connect(settings, version, (call) => metrics.apiCalled(call));
    const { client, logger, namespace, configMap } = connection;
    const { instance, namespaces } = settings;
    const identity = `${hostname()}_${randomUUID().slice(0, 8)}`;
    logger.info('Started', {
      version,
      namespace,
      configMap: `${configMap.namespace}/${configMap.name}`,
      instance,
      identity,
      ...(namespaces === undefined ? {} : { namespaces }),
    });

    const now = Date.now;
    const random = Math.random;
    const events = new EventRecorder<EventReason>({
      client,
      identity,
      now,
      report: (event) => {
        if (event.type !== 'posted') metrics.eventsDropped(1);
        if (event.type === 'failed')
          logger.warn('Event could not be posted', { reason: event.reason, error: event.error });
      },
    });
    const report = createReport({
      logger,
      metrics,
      events,
      configMap,
      readManagers: (at) => readFieldManagers(client, at, signal),
      resourcesOf: (cacheKey) => controller.resources.wanting(cacheKey),
      now,
    });
    const providers = createProviders({ requestsPerSecond: settings.cloudRequestsPerSecond });
    const all = withResourceProvider(providers);
    const keptSecrets = [settings.declaredResources ?? declaredSecretName(instance)];
    const secrets = { namespace, secretNamespaces: settings.secretNamespaces, keptSecrets };
    const parseItem = createItemParser(providers, secrets);
    const parseResourceItem = createItemParser(all, secrets);
    const parseSpec: SpecParser = (name, spec) => parseImagePullSecret(name, spec, parseResourceItem);
    const controller = createController({
      client,
      instance,
      namespace,
      namespaces,
      configMap,
      takeOver: settings.takeOver,
      parse: (data) =>
        withUnserved(parseConfig(data, { parseItem, providers: [...providers.keys()], namespace }), namespaces),
      parseResource: (name, spec) => withUnservedNames(parseSpec(name, spec), namespaces),
      createStore: ({ thresholdMs, onChanged, onSettled, onSourceChanged, readResource }) => {
        const sources = new SecretSources({
          client,
          onChange: onSourceChanged,
          report: (reference, event) => report.onReflector(`secret ${reference.namespace}/${reference.name}`, event),
          now,
          random,
        });
        const shared = {
          providers: all,
          world: createProviderWorld({ client, read: readerOf(sources, readResource), settings }),
          register: (key: string, values: readonly string[]) => connection.secrets.register(key, values),
          turns: new Turns(),
        };
        const store = new CredentialStore({
          ...shared,
          forget: (key) => connection.secrets.forget(key),
          thresholdMs,
          onChanged,
          onSettled,
          onOutcome: report.onOutcome,
          onAttempt: (attempt) => metrics.credentialAttempted(attempt),
          onIdentity: report.onIdentity,
          onOmitted: report.onOmitted,
          random,
        });
        return { store, sources, revocations: createRevocations({ ...shared, identities: store.identities }) };
      },
      observer: {
        ...report,
        onConfiguration: () => {
          tellConfiguration();
          webhook.configured();
        },
        onResources: () => declared.changed(),
      },
      now,
      random,
    });
    const webhook = wireWebhook({
      connection,
      flags: settings.webhook,
      instance,
      namespaces,
      controller,
      parseItem: parseResourceItem,
      metrics,
      onReflector: report.onReflector,
    });
    const values = wireValues({
      ...{ connection, settings, metrics, events },
      onChange: () => tellConfiguration(),
      onReflector: report.onReflector,
    });
    /** One that is about to be made from values is not told to be missing. */
    const tellConfiguration = (): void => {
      const { state } = controller.configuration;
      if (state.status !== 'missing' || !values.isMaking()) report.onConfiguration(state);
    };
    const declared = wireDeclaredResources({
      ...{ connection, settings, controller, parseSpec, metrics, events },
      onReflector: report.onReflector,
    });
    const checks = healthChecks(controller, now);
    metrics.observe({
      ...checks.gauges,
      failingCredentials: report.failing,
      leftAlone: report.leftAlone,
      webhookCertificates: webhook.certificates,
      isWebhookUsable: () => webhook.check.check() === undefined,
      ...values.gauges,
    });
    const server = await startHealthServer({
      address: settings.metricsAddress,
      metrics,
      live: checks.live,
      ready: [...checks.ready, values.check, webhook.check],
    });

    await warnOfMissingRights(connection, settings, signal);
    const parts = [controller, webhook, declared, values];
    const running = Promise.all(parts.map((part) => part.run(signal)));
    const leading = async (until: AbortSignal): Promise<void> => {
      await Promise.all(parts.map((part) => part.lead(until)));
    };
    if (settings.leaderElect) await lead(connection, { leading, identity, lease: leaseName(instance) }, signal);
    else await leading(signal);
    await running;
    await controller.store.stop();
    events.stop();
    await server?.close();
    await client.close();
    logger.info('Stopped');
    return 0;
  },
};

async function lead(
  { client, logger, namespace }: Connection,
  { leading, identity, lease }: { leading: (until: AbortSignal) => Promise<void>; identity: string; lease: string },
  signal: AbortSignal,
): Promise<void> {
  await runLeaderElection(
    {
      client,
      namespace,
      name: lease,
      identity,
      now: Date.now,
      random: Math.random,
      onStartedLeading: leading,
      onStoppedLeading: () => undefined,
      report: reportElection(logger),
    },
    signal,
  );
}

/** One line for each change, and one for a failure until it changes. */
function reportElection(logger: Logger): (event: LeaderElectionEvent) => void {
  let lastFailure = '';
  return (event) => {
    switch (event.type) {
      case 'failed':
        if (event.error.message !== lastFailure) logger.warn('Lease could not be renewed', { error: event.error });
        lastFailure = event.error.message;
        return;
      case 'handlerFailed':
        logger.error('Leading failed', { error: event.error });
        return;
      case 'otherLeader':
        logger.info('Waiting while another replica leads', { leader: event.identity });
        return;
      case 'acquired':
        lastFailure = '';
        logger.info('Acquired the Lease');
        return;
      case 'lost':
        logger.warn('Lost the Lease', { why: event.why });
        return;
      case 'released':
        logger.info('Released the Lease');
    }
  };
}
