// Parts of the schema that several values share: names, and the pieces of Kubernetes objects that go into a manifest as they are.
import type { Schema } from './shape.ts';

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const NAME = '[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?';

/** The name of a namespace. */
export const NAMESPACE: Schema = { type: 'string', pattern: `^${LABEL}$` };

/** The same, or nothing. */
export const OPTIONAL_NAMESPACE: Schema = { type: 'string', pattern: `^(${LABEL})?$` };

/** The name of an object. */
export const OBJECT_NAME: Schema = { type: 'string', pattern: `^${NAME}$` };

/** The same, or nothing. */
export const OPTIONAL_NAME: Schema = { type: 'string', pattern: `^(${NAME})?$` };

/** `namespace/name`, or nothing. */
export const OPTIONAL_PLACE: Schema = { type: 'string', pattern: `^(${LABEL}/${NAME})?$` };

/** Of a part of a span as Prometheus writes it. */
export const DURATION_PATTERN = '[0-9]+(ms|[smhdwy])';

/** A span as Prometheus writes it, or nothing. */
export const OPTIONAL_DURATION: Schema = { type: 'string', pattern: `^(${DURATION_PATTERN})*$` };

/** A port. */
export const PORT: Schema = { type: 'integer', minimum: 1, maximum: 65_535 };

/** Texts by name: labels, annotations. */
export const TEXTS: Schema = { type: 'object', additionalProperties: { type: 'string' } };

/** Any map: what stands there is the API server's to judge. */
export const ANY_MAP: Schema = { type: 'object' };

/** A name of an object of the same namespace. */
export const REFERENCE: Schema = strictMap({ name: OBJECT_NAME }, ['name']);

/** An amount, as Kubernetes writes it: `20m`, `1.5`, `256Mi`, `2e9`. */
const QUANTITY: Schema = {
  type: ['string', 'number'],
  minimum: 0,
  pattern: '^\\+?([0-9]+\\.?[0-9]*|\\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$',
};

const QUANTITIES: Schema = { type: 'object', additionalProperties: QUANTITY };

/** Requests and limits of a container. */
export const RESOURCES: Schema = strictMap({ requests: QUANTITIES, limits: QUANTITIES });

/** A taint that is tolerated. */
export const TOLERATION: Schema = strictMap({
  key: { type: 'string' },
  operator: { type: 'string', enum: ['Exists', 'Equal', 'Lt', 'Gt'] },
  value: { type: 'string' },
  effect: { type: 'string', enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
  tolerationSeconds: { type: 'integer', minimum: 0 },
});

/** Where Pods go. */
export const AFFINITY: Schema = strictMap({ nodeAffinity: ANY_MAP, podAffinity: ANY_MAP, podAntiAffinity: ANY_MAP });

/** How Pods are spread. */
export const SPREAD: Schema = strictMap(
  {
    maxSkew: { type: 'integer', minimum: 1 },
    minDomains: { type: 'integer', minimum: 1 },
    topologyKey: { type: 'string', minLength: 1 },
    whenUnsatisfiable: { type: 'string', enum: ['DoNotSchedule', 'ScheduleAnyway'] },
    labelSelector: ANY_MAP,
    matchLabelKeys: { type: 'array', items: { type: 'string' } },
    nodeAffinityPolicy: { type: 'string', enum: ['Honor', 'Ignore'] },
    nodeTaintsPolicy: { type: 'string', enum: ['Honor', 'Ignore'] },
  },
  ['maxSkew', 'topologyKey', 'whenUnsatisfiable'],
);

/** An environment variable. */
export const VARIABLE: Schema = strictMap(
  { name: { type: 'string', minLength: 1 }, value: { type: 'string' }, valueFrom: ANY_MAP },
  ['name'],
);

/** A ConfigMap or a Secret whose keys become environment variables. */
export const VARIABLES_SOURCE: Schema = strictMap({
  prefix: { type: 'string' },
  configMapRef: ANY_MAP,
  secretRef: ANY_MAP,
});

/** A volume, whatever its kind. */
export const VOLUME: Schema = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1 } },
};

/** Where a volume is mounted. */
export const VOLUME_MOUNT: Schema = strictMap(
  {
    name: { type: 'string', minLength: 1 },
    mountPath: { type: 'string', pattern: '^/' },
    subPath: { type: 'string' },
    subPathExpr: { type: 'string' },
    readOnly: { type: 'boolean' },
    recursiveReadOnly: { type: 'string' },
    mountPropagation: { type: 'string' },
  },
  ['name', 'mountPath'],
);

/** How Pods of a Deployment are replaced. */
export const STRATEGY: Schema = strictMap({
  type: { type: 'string', enum: ['RollingUpdate', 'Recreate'] },
  rollingUpdate: strictMap({
    maxUnavailable: { type: ['integer', 'string'] },
    maxSurge: { type: ['integer', 'string'] },
  }),
});

/** How Pods of a DaemonSet are replaced. */
export const UPDATE_STRATEGY: Schema = strictMap({
  type: { type: 'string', enum: ['RollingUpdate', 'OnDelete'] },
  rollingUpdate: strictMap({
    maxUnavailable: { type: ['integer', 'string'] },
    maxSurge: { type: ['integer', 'string'] },
  }),
});

/** A map with these members and no others. */
export function strictMap(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
    properties,
  };
}
