// What the process says of itself: liveness, readiness, and the values behind the gauges.
import { endingOf } from '../core/password-end.ts';
import { includesNamespace } from '../core/scope.ts';
import type { CredentialRequest, EpochMs } from '../core/types.ts';
import type { HealthCheck } from '../observability/http.ts';
import type { CredentialState, FailingCredential } from '../observability/leader-metrics.ts';
import type { MetricSources } from '../observability/metrics.ts';
import type { Controller } from './controller-options.ts';
import type { Watched } from '../kube/image-pull-secrets.ts';
import { HELPER_RUNS } from './report-vendor-helper.ts';
import { correctionsOf, sentenceOf } from './report-configuration.ts';

/** A watch that nothing was heard of for this long is dead, and its reflector too: it would have noticed after 150 s. */
const SILENT_MS = 900_000;

/** Checks and gauges of a controller. */
export interface Status {
  readonly live: readonly HealthCheck[];
  readonly ready: readonly HealthCheck[];
  readonly gauges: MetricSources;
}

/** Builds them. Readiness means that the caches are synced; a bad configuration is only told. */
export function healthChecks(controller: Controller, now: () => EpochMs): Status {
  const { caches, configuration, lane, queue } = controller;
  const reflectors = [
    { kind: 'namespaces', reflector: caches.namespaces },
    { kind: 'serviceaccounts', reflector: caches.serviceAccounts },
    { kind: 'secrets', reflector: caches.secrets },
  ] as const;
  const silenceOf = ({ synced: isSynced, lastActivityAt }: Watched): string | undefined => {
    const silentMs = now() - lastActivityAt;
    return isSynced && silentMs > SILENT_MS ? `nothing was heard for ${Math.round(silentMs / 1_000)} s` : undefined;
  };
  const silent = reflectors.map(({ kind, reflector }): HealthCheck => ({
    name: `watch-${kind}`,
    check: () => silenceOf(reflector),
  }));
  // They come and go with the definition of the kind.
  const resources: HealthCheck = {
    name: 'watch-imagepullsecrets',
    check: () => {
      const found = controller.resources.watches().map(({ reflector }) => silenceOf(reflector));
      return found.find((silence) => silence !== undefined);
    },
  };
  const synced = reflectors.map(({ kind, reflector }): HealthCheck => ({
    name: `cache-${kind}`,
    check: () => (reflector.synced ? undefined : 'the first list is not complete'),
  }));
  return {
    live: [...silent, resources],
    ready: [
      ...synced,
      {
        name: 'configuration-read',
        check: () => (configuration.synced ? undefined : 'the ConfigMap was not looked for yet'),
      },
      {
        name: 'configuration',
        informational: true,
        check: () => {
          const { status, issues } = configuration.state;
          if (status === 'unknown') return 'the ConfigMap was not looked for yet';
          if (status === 'valid') return undefined;
          // Further to the right, so that no line of it looks like a check.
          const corrections = correctionsOf(issues).map((text) => `\n${text}`.replaceAll('\n', '\n    '));
          return `${status}: ${issues.map(sentenceOf).join(' ')}${corrections.join('')}`;
        },
      },
      {
        name: 'standing-down',
        informational: true,
        check: () => (controller.standingDown ? HELPER_RUNS : undefined),
      },
    ],
    gauges: {
      queueDepth: () => queue.depth,
      queueWorking: () => queue.working,
      limiterWaiting: () => lane.waiting,
      secretsManaged: () => caches.secrets.size,
      namespacesInScope: () => {
        const rules = controller.config?.rules ?? [];
        return [...caches.namespaces.all()].filter((namespace) =>
          rules.some((rule) => includesNamespace(rule.scope, namespace)),
        ).length;
      },
      reflectors: () =>
        [...reflectors, ...controller.resources.watches()].map(({ kind, reflector: { lastActivityAt, restarts } }) => ({
          kind,
          lastActivityAt,
          restarts,
        })),
      credentials: () => credentialStates(controller, now()),
      failingCredentials: () => failingCredentials(controller),
      invalidResources: () => controller.resources.invalid(),
      revocationsFailing: () => controller.leftBehind.failing,
    },
  };
}

/** Of every credential that a namespace in scope needs and that was asked for. */
function credentialStates(controller: Controller, now: EpochMs): readonly CredentialState[] {
  const { store } = controller;
  return neededRequests(controller).flatMap(({ provider, cacheKey }): readonly CredentialState[] => {
    const held = store.current(cacheKey);
    if (held === undefined) return store.failure(cacheKey) === undefined ? [] : [{ provider, cacheKey, isHeld: false }];
    const ending = endingOf(held, now);
    const isEnding = ending === undefined ? undefined : ending.stage !== 'valid';
    return [{ provider, cacheKey, isHeld: true, expiresAt: held.expiresAt ?? held.endsAt, isEnding }];
  });
}

/** Of the same, those whose last attempt failed. The store knows: another replica may have obtained one while it led. */
function failingCredentials(controller: Controller): readonly FailingCredential[] {
  return neededRequests(controller).flatMap(({ provider, cacheKey }) => {
    const failure = controller.store.failure(cacheKey);
    return failure === undefined ? [] : [{ provider, cacheKey, reason: failure.reason }];
  });
}

/** What a namespace in scope needs. What reaches nobody is not renewed either. */
function neededRequests({ config, caches }: Controller): readonly CredentialRequest[] {
  const namespaces = [...caches.namespaces.all()];
  return (config?.rules ?? [])
    .filter(({ scope }) => namespaces.some((one) => includesNamespace(scope, one)))
    .flatMap(({ requests }) => requests);
}
