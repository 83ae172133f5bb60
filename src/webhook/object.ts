// The MutatingWebhookConfiguration as it should be, and what of a live one differs from that.
import { IGNORE_LABEL, managedLabels, WEBHOOK_NAME } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { WebhookConfiguration } from '../core/webhook-configuration.ts';
import type { KubeObject } from '../kube/client.ts';

/** Where the API server finds the webhook. */
export type Target =
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string; readonly port: number }
  | { readonly kind: 'url'; readonly url: string };

/** The cluster-scoped object with which this one goes. */
export interface Owner {
  readonly name: string;
  readonly uid: string;
}

/** What the object is made from. */
export interface ObjectOptions extends WebhookConfiguration {
  readonly name: string;
  readonly instance: string;
  /** Our own namespace, which is never intercepted: we must be able to start while nothing answers. */
  readonly namespace: string;
  readonly target: Target;
  readonly owner: Owner | undefined;
  /** PEM. */
  readonly caBundle: string;
}

/** Path that the API server posts reviews of ServiceAccounts to. */
export const REVIEW_PATH = '/mutate-serviceaccounts';

/** Builds it, with every default of the API written out, so that a live one can be compared. */
export function buildObject(options: ObjectOptions): KubeObject {
  const { name, instance, namespace, target, owner, caBundle, failurePolicy, timeoutSeconds } = options;
  const ca = Buffer.from(caBundle).toString('base64');
  const optOut = { key: IGNORE_LABEL, operator: 'NotIn', values: ['true'] };
  const exempt = [namespace, 'kube-node-lease'];
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name,
      labels: managedLabels(instance),
      ownerReferences:
        owner === undefined
          ? []
          : [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: owner.name, uid: owner.uid }],
    },
    webhooks: [
      {
        name: WEBHOOK_NAME,
        clientConfig:
          target.kind === 'url'
            ? { url: `${target.url}${REVIEW_PATH}`, caBundle: ca }
            : { service: { ...serviceOf(target), path: REVIEW_PATH }, caBundle: ca },
        rules: [
          {
            operations: ['CREATE', 'UPDATE'],
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['serviceaccounts'],
            scope: 'Namespaced',
          },
        ],
        failurePolicy,
        timeoutSeconds,
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        reinvocationPolicy: 'IfNeeded',
        admissionReviewVersions: ['v1'],
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: exempt }, optOut],
        },
        objectSelector: { matchExpressions: [optOut] },
      },
    ],
  };
}

function serviceOf({ namespace, name, port }: Extract<Target, { kind: 'service' }>): Record<string, unknown> {
  return { namespace, name, port };
}

/**
 * The live object with ours in it, foreign labels and annotations kept; undefined = nothing differs. An owner stays when no other
 * is known: whoever may not read the role must not keep the object from going with it.
 */
export function mergeObject(live: KubeObject, wanted: KubeObject): KubeObject | undefined {
  const { metadata: from = {} } = live;
  const { metadata: to = {} } = wanted;
  if (!isRecord(from) || !isRecord(to)) return wanted;
  const labels = isRecord(from.labels) ? from.labels : {};
  const owners = isEqual(to.ownerReferences, []) ? (from.ownerReferences ?? []) : to.ownerReferences;
  const isSame =
    isSubset(to.labels, labels) &&
    isEqual(owners, from.ownerReferences ?? []) &&
    isSameWebhooks(wanted.webhooks, live.webhooks);
  if (isSame) return undefined;
  const ours = { ...labels, ...(isRecord(to.labels) ? to.labels : {}) };
  const metadata = { ...from, ...to, labels: ours, ownerReferences: owners };
  return { ...live, metadata, webhooks: wanted.webhooks };
}

/** PEM of the `caBundle` of a live object; empty when there is none. */
export function caBundleOf(live: KubeObject | undefined): string {
  const webhooks: readonly unknown[] = Array.isArray(live?.webhooks) ? live.webhooks : [];
  const first = webhooks[0];
  const config = isRecord(first) && isRecord(first.clientConfig) ? first.clientConfig : {};
  return typeof config.caBundle === 'string' ? Buffer.from(config.caBundle, 'base64').toString('utf8') : '';
}

/** Fields that we do not write may have been added by a newer API server, but not the ones that would narrow ours down. */
function isSameWebhooks(wanted: unknown, live: unknown): boolean {
  if (!Array.isArray(wanted) || !Array.isArray(live) || wanted.length !== live.length) return false;
  return wanted.every((webhook, at) => {
    const found: unknown = live[at];
    return isRecord(found) && found.matchConditions === undefined && isSubset(webhook, found);
  });
}

/** True when every field of `wanted` is in `live`, and equal. */
function isSubset(wanted: unknown, live: Readonly<Record<string, unknown>>): boolean {
  return isRecord(wanted) && Object.entries(wanted).every(([key, value]) => isEqual(value, live[key]));
}

/** Deep equality of JSON values; the order of fields does not matter. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => isEqual(item, b[at]));
  }
  if (!isRecord(a) || !isRecord(b)) return a === b;
  return Object.keys(a).length === Object.keys(b).length && isSubset(a, b);
}
