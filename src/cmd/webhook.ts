// Wires the admission webhook for the command `controller`: flags, memory of the controller, lines of the log.
import { setTimeout as pause } from 'node:timers/promises';
import type { Controller } from '../controller/controller-options.ts';
import { KubeError } from '../core/errors.ts';
import { WEBHOOK_KINDS, webhookName } from '../core/names.ts';
import type { ItemParser } from '../core/registry-items.ts';
import { removeWebhook } from '../kube/one-object.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import type { HealthCheck } from '../observability/http.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics, MetricSources } from '../observability/metrics.ts';
import type { HandlerWorld } from '../webhook/handlers.ts';
import type { WebhookEvent } from '../webhook/observer.ts';
import { createWebhook, type Webhook } from '../webhook/webhook.ts';
import type { Connection } from './connect.ts';
import type { WebhookFlags } from './webhook-settings.ts';

/** What the command does with the webhook, whether this process serves one or not. */
export interface ServedWebhook extends Pick<Webhook, 'configured' | 'run' | 'lead'> {
  readonly check: HealthCheck;
  readonly gauges: MetricSources;
}

interface Wiring {
  readonly connection: Connection;
  readonly flags: WebhookFlags;
  readonly instance: string;
  /** The only ones that are served; undefined = all. */
  readonly namespaces: readonly string[] | undefined;
  readonly controller: Controller;
  /** With which resources are read. */
  readonly parseItem: ItemParser;
  readonly metrics: Pick<Metrics, 'admissionAnswered'>;
  readonly onReflector: (kind: string, event: ReflectorEvent) => void;
}

const RETRY_MS = 10_000;

/** Builds it from the flags; without an address or a way for the API server there is none. */
export function wireWebhook(wiring: Wiring): ServedWebhook {
  const { connection, flags, instance, controller, metrics } = wiring;
  const { client, logger, namespace, secrets } = connection;
  const config = () => controller.config;
  if (flags.target === undefined || flags.address === '') return withoutWebhook(wiring);
  const webhook = createWebhook({
    client,
    instance,
    namespace,
    address: flags.address,
    target: flags.target,
    clusterRole: flags.clusterRole,
    config,
    parseItem: wiring.parseItem,
    standingDown: () => controller.standingDown,
    served: wiring.namespaces === undefined ? undefined : new Set(wiring.namespaces),
    observedNamespace: (name) => controller.caches.namespaces.get('', name),
    register: (key, value) => secrets.register(key, [value]),
    onAnswered: (answered) => metrics.admissionAnswered(answered),
    onProblem: reportProblem(logger),
    onReflector: wiring.onReflector,
    observer: reportWebhook(logger),
    now: Date.now,
    random: Math.random,
    elapsed: () => performance.now(),
  });
  const gauges: MetricSources = {
    webhookCertificates: () => webhook.certificates(),
    isWebhookUsable: () => webhook.problem() === undefined,
    leftAlone: () => leftAloneOf(webhook.taken()),
  };
  return { ...webhook, gauges, check: { name: 'webhook', check: () => webhook.problem() } };
}

function leftAloneOf(taken: number): ReadonlyMap<string, number> {
  return new Map(taken === 0 ? [] : [['NameTaken', taken]]);
}

/** A process that was not told how to serve: it says so when the configuration wants a webhook, and removes an earlier one. */
function withoutWebhook({ connection, instance, controller }: Wiring): ServedWebhook {
  const { client, logger } = connection;
  const report = reportWebhook(logger);
  let wasWanted = false;
  return {
    configured() {
      const isWanted = controller.configuration.state.good?.webhook !== undefined;
      if (isWanted && !wasWanted) report({ type: 'notServed' });
      wasWanted = isWanted;
    },
    run: () => Promise.resolve(),
    async lead(signal) {
      while (!signal.aborted) {
        try {
          for (const kind of WEBHOOK_KINDS) {
            const removed = await removeWebhook(client, kind, { instance, dryRun: false, signal });
            if (removed === 'removed') report({ type: 'objectRemoved', kind, name: webhookName(instance) });
          }
          return;
        } catch (error) {
          // Who never had a webhook may lack the rights to look for one.
          if (error instanceof KubeError && ['Forbidden', 'Aborted'].includes(error.reason)) return;
          logger.warn('An earlier webhook could not be looked for', { error });
          await pause(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
        }
      }
    },
    gauges: {},
    check: { name: 'webhook', check: () => undefined },
  };
}

/** One line for each change of state; the same failure is told once until something succeeds. */
function reportWebhook(logger: Logger): (event: WebhookEvent) => void {
  let lastFailure = '';
  return (event) => {
    if (event.type === 'failed') {
      const failure = `${event.what} ${event.error instanceof Error ? event.error.message : ''}`;
      if (failure !== lastFailure) logger.warn('Webhook failed', { what: event.what, error: event.error });
      lastFailure = failure;
      return;
    }
    lastFailure = '';
    switch (event.type) {
      case 'listening':
        logger.info('Served the webhook', { port: event.port });
        return;
      case 'leafMinted':
        logger.info('Minted a certificate of the webhook', { expiresAt: new Date(event.expiresAt).toISOString() });
        return;
      case 'authorityWritten':
        logger.info('Wrote the certificate authority of the webhook', {
          expiresAt: new Date(event.expiresAt).toISOString(),
          previous: event.previous,
        });
        return;
      case 'objectWritten':
        logger.info('Wrote the webhook', { kind: event.kind, name: event.name, how: event.how });
        return;
      case 'objectRemoved':
        logger.info('Removed the webhook', { kind: event.kind, name: event.name });
        return;
      case 'contended':
        logger.warn('Webhook keeps being changed by another writer', {
          kind: event.kind,
          name: event.name,
          pauseMs: event.pauseMs,
        });
        return;
      case 'nameTaken':
        logger.warn('Left alone', {
          reason: 'NameTaken',
          kind: event.kind,
          name: event.name,
          cure: 'rename or delete it',
        });
        return;
      case 'notServed':
        logger.warn('Webhook is wanted but not served', {
          cure: 'say how the API server reaches this program: --webhook-service=NAMESPACE/NAME:PORT or --webhook-url',
        });
    }
  };
}

/** A line for each kind of problem: whoever finds the port must not fill the log. */
function reportProblem(logger: Logger): HandlerWorld['onProblem'] {
  const told = new Set<string>();
  return ({ why, error }) => {
    const level = told.has(why) ? 'debug' : 'warn';
    told.add(why);
    logger[level]('Review was not decided', { why, error });
  };
}
