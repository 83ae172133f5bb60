// The two webhook objects as they should be, and what of a live one differs from that.
import { isEqual, isSubset } from '../core/equality.ts';
import {
  IGNORE_LABEL,
  managedLabels,
  RESOURCE_KIND,
  RESOURCE_WEBHOOK_NAME,
  UNASKED_NAMESPACE,
  WEBHOOK_NAME,
  type WebhookKind,
} from '../core/names.ts';
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

/** What each of the two objects is made from. */
export interface ObjectOptions {
  readonly name: string;
  readonly instance: string;
  readonly target: Target;
  readonly owner: Owner | undefined;
  /** PEM. */
  readonly caBundle: string;
}

/** What the one about ServiceAccounts is made from besides. */
export interface MutatingOptions extends ObjectOptions, WebhookConfiguration {
  /** Our own namespace, which is never intercepted: we must be able to start while nothing answers. */
  readonly namespace: string;
  /** The only ones that are served; absent = all. */
  readonly served?: ReadonlySet<string> | undefined;
}

/** Path that the API server posts reviews of ServiceAccounts to. */
export const REVIEW_PATH = '/mutate-serviceaccounts';

/** Path that the API server posts reviews of ImagePullSecrets to. */
export const RESOURCE_REVIEW_PATH = '/validate-imagepullsecrets';

/** Builds the one about ServiceAccounts, with every default of the API written out, so that a live one can be compared. */
export function buildMutating(options: MutatingOptions): KubeObject {
  const { namespace, served, failurePolicy, timeoutSeconds } = options;
  const optOut = { key: IGNORE_LABEL, operator: 'NotIn', values: ['true'] };
  const exempt = [namespace, UNASKED_NAMESPACE];
  const names = (operator: 'In' | 'NotIn', values: readonly string[]) => {
    return { key: 'kubernetes.io/metadata.name', operator, values };
  };
  return buildObject('MutatingWebhookConfiguration', options, {
    name: WEBHOOK_NAME,
    clientConfig: clientConfigOf(options, REVIEW_PATH),
    rules: [ruleFor({ group: '', version: 'v1', plural: 'serviceaccounts' }, 'Namespaced')],
    failurePolicy,
    timeoutSeconds,
    reinvocationPolicy: 'IfNeeded',
    namespaceSelector: {
      matchExpressions: [
        names('NotIn', exempt),
        optOut,
        ...(served === undefined ? [] : [names('In', [...served].sort())]),
      ],
    },
    objectSelector: { matchExpressions: [optOut] },
  });
}

/**
 * Builds the one about ImagePullSecrets, likewise. Nobody waits for it, or for the lack of it: what it would have refused is stored
 * and reported by the controller (tcr.md section 4). Deletions and writes of the status do not come here.
 */
export function buildValidating(options: ObjectOptions): KubeObject {
  return buildObject('ValidatingWebhookConfiguration', options, {
    name: RESOURCE_WEBHOOK_NAME,
    clientConfig: clientConfigOf(options, RESOURCE_REVIEW_PATH),
    rules: [ruleFor(RESOURCE_KIND, 'Cluster')],
    failurePolicy: 'Ignore',
    timeoutSeconds: 3,
    namespaceSelector: {},
    objectSelector: {},
  });
}

function buildObject(
  kind: WebhookKind,
  { name, instance, owner }: ObjectOptions,
  webhook: Readonly<Record<string, unknown>>,
): KubeObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: {
      name,
      labels: managedLabels(instance),
      ownerReferences:
        owner === undefined
          ? []
          : [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: owner.name, uid: owner.uid }],
    },
    webhooks: [{ ...webhook, matchPolicy: 'Equivalent', sideEffects: 'None', admissionReviewVersions: ['v1'] }],
  };
}

function ruleFor(
  { group, version, plural }: { readonly group: string; readonly version: string; readonly plural: string },
  scope: 'Namespaced' | 'Cluster',
): Readonly<Record<string, unknown>> {
  const operations = ['CREATE', 'UPDATE'];
  return { operations, apiGroups: [group], apiVersions: [version], resources: [plural], scope };
}

function clientConfigOf({ target, caBundle: pem }: ObjectOptions, path: string): Readonly<Record<string, unknown>> {
  const caBundle = Buffer.from(pem).toString('base64');
  if (target.kind === 'url') return { url: `${target.url}${path}`, caBundle };
  const { namespace, name, port } = target;
  return { service: { namespace, name, port, path }, caBundle };
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
