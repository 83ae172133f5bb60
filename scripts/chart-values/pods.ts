// Values about the Pods of the controller.
import {
  AFFINITY,
  ANY_MAP,
  RESOURCES,
  SPREAD,
  STRATEGY,
  TEXTS,
  TOLERATION,
  VARIABLE,
  VARIABLES_SOURCE,
  VOLUME,
  VOLUME_MOUNT,
} from './schemas.ts';
import { choice, flag, integer, list, section, text, value, type Members, type Section } from './shape.ts';

const probe = (about: string, failureThreshold: number): Section =>
  section(about, {
    initialDelaySeconds: integer('Seconds before the first.', 0, 0),
    periodSeconds: integer('Seconds between two.', 10, 1),
    timeoutSeconds: integer('Seconds that an answer may take.', 5, 1),
    failureThreshold: integer('How many in a row must fail.', failureThreshold, 1),
  });

/** What the controller is told, and what it runs with. */
export const PODS: Members = {
  logLevel: choice('Least important lines that are printed.', 'info', ['error', 'warn', 'info', 'debug']),
  logFormat: choice('Form of the log lines.', 'json', ['json', 'text']),
  extraArgs: list(
    'Further flags of the command `controller`, each `--flag=value`; they win over those that the chart sets.',
    { type: 'string', pattern: '^--[a-z]' },
  ),
  extraEnv: list(
    "Further environment variables of the controller, such as `[{name: ALIBABA_CLOUD_ECS_METADATA_DISABLED, value: 'true'}]`; also with `valueFrom`.",
    VARIABLE,
  ),
  extraEnvFrom: list('ConfigMaps and Secrets whose keys become environment variables.', VARIABLES_SOURCE),
  extraVolumes: list('Further volumes of the Pods.', VOLUME),
  extraVolumeMounts: list('Where they are mounted.', VOLUME_MOUNT),
  resources: value(
    'Requests and limits. Seen with 1,000 namespaces and 3,000 ServiceAccounts in scope: 131 MiB at most, 5m of CPU at rest. The heap follows the memory limit: raise it for larger clusters. A CPU limit would only make new namespaces wait.',
    { requests: { cpu: '20m', memory: '160Mi' }, limits: { memory: '256Mi' } },
    RESOURCES,
  ),
  podSecurityContext: value(
    'Security context of the Pod; the defaults of both contexts pass the Pod Security level `restricted`.',
    { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    ANY_MAP,
  ),
  containerSecurityContext: value(
    'Security context of the container.',
    { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ANY_MAP,
  ),
  podLabels: value('Further labels of the Pods, also of those of `helm test` and of cleaning up.', {}, TEXTS),
  podAnnotations: value(
    "Annotations of the Pods, also of those of `helm test` and of cleaning up: in a service mesh, `{sidecar.istio.io/inject: 'false'}` lets these end.",
    {},
    TEXTS,
  ),
  livenessProbe: probe('When a Pod is started again: `/livez`.', 3),
  readinessProbe: probe('When a Pod gets requests of the webhook: `/readyz`.', 3),
  terminationGracePeriodSeconds: integer('Seconds in which writes end and the Lease is released.', 30, 0),
  revisionHistoryLimit: integer('Earlier ReplicaSets that are kept.', 3, 0),
  strategy: value(
    'How the Deployment replaces its Pods. With `webhook.hostNetwork` the default is to end one before the next begins, since both need the same ports of a node. `{type: Recreate}` needs no word on `rollingUpdate`.',
    { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    STRATEGY,
  ),
};

/** Where Pods run. */
export const PLACES: Members = {
  priorityClassName: text(
    'Priority class of the Pods; empty = `system-cluster-critical` in kube-system, and the default of the cluster in other namespaces, where a quota may forbid that class.',
  ),
  nodeSelector: value('Labels that a node must have.', { 'kubernetes.io/os': 'linux' }, TEXTS),
  tolerations: list('Taints of nodes that the Pods tolerate.', TOLERATION),
  affinity: value('Affinity of the Pods.', {}, AFFINITY),
  topologySpreadConstraints: list(
    'How the Pods are spread; one without `labelSelector` counts the Pods of the controller.',
    SPREAD,
    [
      { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
      { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ],
  ),
  podDisruptionBudget: section('How many Pods may be evicted at once.', {
    enabled: flag('Whether there is a PodDisruptionBudget.', true),
    maxUnavailable: value('A number, or a share such as `50%`.', 1, {
      type: ['integer', 'string'],
      minimum: 0,
      pattern: '^[0-9]+%$',
    }),
  }),
};
