// Every label, annotation, field manager and Secret name that this program uses: they are an interface.
import type { ObservedSecret } from './types.ts';

/** Domain of our labels and annotations. */
export const DOMAIN = 'registry-credential-helper.io';

/** Value of `app.kubernetes.io/managed-by` on every object of ours, and our field manager. */
export const MANAGER = 'registry-credential-helper';

/** Label that says which program keeps an object. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';

/** Label that tells several installations apart; its value is the setting `--instance`. */
export const INSTANCE_LABEL = 'app.kubernetes.io/instance';

/** With the value "true" on a Namespace or a ServiceAccount: leave it alone. */
export const IGNORE_LABEL = `${DOMAIN}/ignore`;

/** Annotation on our Secrets: JSON, per registry host what it was made from and when it expires. */
export const CREDENTIALS_ANNOTATION = `${DOMAIN}/credentials`;

/** Annotation on our Secrets: digest of `.dockerconfigjson` and of `CREDENTIALS_ANNOTATION` as we wrote them. */
export const DIGEST_ANNOTATION = `${DOMAIN}/content-digest`;

/**
 * Annotation on our Secrets: `namespace/name` of the Secret that it was written into. A copy that carries our labels (a backup,
 * a tool that clones Secrets) says by it that it is none of ours: it is never deleted.
 */
export const PLACE_ANNOTATION = `${DOMAIN}/place`;

/**
 * Annotation on our Secrets of resources: UID of the definition under which the resource was known. Whoever removes the definition
 * removes all resources with it: what bears the UID of an earlier one is no orphan.
 */
export const DEFINITION_ANNOTATION = `${DOMAIN}/definition`;

/** Annotation on the DaemonSet of the command `hosts` while clean-up ends it: JSON, what was changed, as it was. */
export const BEFORE_END_ANNOTATION = `${DOMAIN}/before-end`;

/** Annotations that keep GitOps tools from pruning or reporting what we create. */
export const GITOPS_ANNOTATIONS: Readonly<Record<string, string>> = {
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
  'argocd.argoproj.io/sync-options': 'Prune=false',
};

/** Secret of `acr-registry-info`: the vendor's name, which people have hard-coded. */
export const ACR_SECRET_NAME = 'acr-credential-secret-aggregation';

/** Secret of `registry-info`. */
export const SECRET_NAME = 'registry-credentials';

/** What the names of the Secrets of `ImagePullSecret` resources begin with: the vendor's (tcr.md section 3), kept for them alone. */
export const RESOURCE_SECRET_PREFIX = 'tcr.ips';

/** The Secret of the resource `name`. */
export function resourceSecretName(name: string): string {
  return `${RESOURCE_SECRET_PREFIX}${name}`;
}

/** API group, version, kind and plural of the vendor's custom resource (tcr.md section 2). */
export const RESOURCE_KIND = {
  group: 'tcr.tencentcloudcr.com',
  version: 'v1',
  kind: 'ImagePullSecret',
  plural: 'imagepullsecrets',
} as const;

/** Name of its definition, and of the kind where other kinds may share the short one. */
export const DEFINITION_NAME = `${RESOURCE_KIND.plural}.${RESOURCE_KIND.group}`;

/** Deployment and ServiceAccount of the add-on that we replace; trust policies of RRSA name the latter (acr.md section 9). */
export const VENDOR_HELPER = { namespace: 'kube-system', name: 'aliyun-acr-credential-helper' } as const;

/** Secrets in kube-system in which Alibaba's add-on, and the control planes of ACK and ACS, keep keys (acr.md section 18). */
export const ALIBABA_KEY_SECRETS = {
  addon: 'alibaba-addon-secret',
  managedRole: ['addon.aliyuncsmanagedacrrole.token', 'addon.aliyunccmanagedacrrole.token'],
} as const;

/** Deployment of Tencent's add-on, which serves the same resources (tcr.md section 1). */
export const TCR_ASSISTANT = { namespace: 'tcr-assistant-system', name: 'tcr-assistant-controller-manager' } as const;

/** Its validating webhook, and the DaemonSet and ConfigMap with which it rewrites `/etc/hosts` of nodes (tcr.md sections 1 and 6). */
export const TCR_WEBHOOK = 'tcr-assistant-validating-webhook-configuration';
export const HOSTS_UPDATER = { daemonSet: 'hosts-updater', configMap: 'updater-config', key: 'hosts.yaml' } as const;

/** Longest name of an object, characters. */
export const MAX_NAME = 253;

/** The only type of Secret that kubelet reads pull credentials from. */
export const SECRET_TYPE = 'kubernetes.io/dockerconfigjson';

/** Key of the one datum in such a Secret. */
export const SECRET_KEY = '.dockerconfigjson';

/** Secret in the namespace of `--config-map` that holds the master copy; one for each instance. */
export function stateSecretName(instance: string): string {
  return `${MANAGER}-state-${instance}`;
}

/** Keys of the data in it. */
export const STATE_KEYS = {
  credentials: 'credentials.json',
  configuration: 'configuration.json',
  resources: 'resources.json',
  minted: 'minted.json',
} as const;

/** Labels of the Secrets in our own namespace that remember something for `instance`. */
export function stateLabels(instance: string): Readonly<Record<string, string>> {
  return { [MANAGED_BY_LABEL]: MANAGER, [`${DOMAIN}/state`]: instance };
}

/** Lease in the namespace of `--config-map`; one for each instance. */
export function leaseName(instance: string): string {
  return `${MANAGER}-${instance}`;
}

/** The two objects that lead the API server to the admission webhook, of one name each; one of each for each instance. */
export function webhookName(instance: string): string {
  return `${MANAGER}-${instance}`;
}

/** Name of the one webhook in the mutating object. */
export const WEBHOOK_NAME = `serviceaccounts.${DOMAIN}`;

/** Name of the one webhook in the validating object. */
export const RESOURCE_WEBHOOK_NAME = `imagepullsecrets.${DOMAIN}`;

/** Namespace that the webhook is never asked about, besides our own: nodes must come up whatever we do (kubernetes.md section 4). */
export const UNASKED_NAMESPACE = 'kube-node-lease';

/** The kinds of the two objects, in the order in which they are dealt with. */
export const WEBHOOK_KINDS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const;

export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

/** Secret in our own namespace with the certificate authority of the webhook; one for each instance. */
export function authoritySecretName(instance: string): string {
  return `${MANAGER}-webhook-ca-${instance}`;
}

/** Keys of that Secret. */
export const AUTHORITY_KEYS = { cert: 'tls.crt', key: 'tls.key', previous: 'previous.crt' } as const;

/** Label, with the value "true", of the `ImagePullSecret` resources that we make as a Secret of our own namespace declares them. */
export const DECLARED_LABEL = `${DOMAIN}/declared`;

/** Secret in our own namespace that declares such resources, unless `--declared-resources` names another; one for each instance. */
export function declaredSecretName(instance: string): string {
  return `${MANAGER}-resources-${instance}`;
}

/** Keys of that Secret: one of them holds the list. */
export const DECLARED_KEYS = ['imagePullSecrets.json', 'imagePullSecrets.yaml'] as const;

/** Annotation on a ServiceAccount: the names in `imagePullSecrets` that this installation added, joined by commas. */
export function referencesAnnotation(instance: string): string {
  return `${DOMAIN}/references.${instance}`;
}

/**
 * Annotation on the configuration that we keep from values: JSON, per key a digest of what was taken over last. Without it the ConfigMap
 * is somebody else's; whoever takes it off takes the ConfigMap over.
 */
export function valuesAnnotation(instance: string): string {
  return `${DOMAIN}/values.${instance}`;
}

/** Key of a ConfigMap that explains the others; it is no configuration. */
export const EXAMPLE_KEY = '_example';

/** Labels of every Secret that `instance` manages. */
export function managedLabels(instance: string): Readonly<Record<string, string>> {
  return { [MANAGED_BY_LABEL]: MANAGER, [INSTANCE_LABEL]: instance };
}

/** Label selector, as the API takes it, of every Secret that `instance` manages. */
export function managedSelector(instance: string): string {
  return `${MANAGED_BY_LABEL}=${MANAGER},${INSTANCE_LABEL}=${instance}`;
}

/** Labels of every resource that `instance` makes because it is declared. */
export function declaredLabels(instance: string): Readonly<Record<string, string>> {
  return { ...managedLabels(instance), [DECLARED_LABEL]: 'true' };
}

/** True when `instance` made the resource, and keeps it as it is declared. Whoever takes one of the labels off takes it over. */
export function isDeclared({ labels }: Pick<ObservedSecret, 'labels'>, instance: string): boolean {
  return isManaged({ labels }, instance) && labels[DECLARED_LABEL] === 'true';
}

/** True when the Secret carries the labels of `instance`. */
export function isManaged(secret: Pick<ObservedSecret, 'labels'>, instance: string): boolean {
  return secret.labels[MANAGED_BY_LABEL] === MANAGER && secret.labels[INSTANCE_LABEL] === instance;
}

/** True when it is managed by `instance` and in the very place that it was written into: no copy. */
export function isOwn(
  secret: Pick<ObservedSecret, 'labels' | 'place' | 'namespace' | 'name'>,
  instance: string,
): boolean {
  return isManaged(secret, instance) && secret.place === `${secret.namespace}/${secret.name}`;
}

/** True for names under which the vendors' add-ons write, or wrote (acr.md section 9): such a Secret may be adopted in place. */
export function isVendorSecretName(name: string): boolean {
  return name === ACR_SECRET_NAME || isOlderAcrSecretName(name) || name.startsWith(RESOURCE_SECRET_PREFIX);
}

/** True for names under which versions of Alibaba's add-on before 2022 wrote. */
export function isOlderAcrSecretName(name: string): boolean {
  return /^(acr-credential-[0-9a-f]{32}|aliyun-acr-credential-[ab])$/.test(name);
}

/**
 * True for Secrets that hold keys to a cloud, our master copy, the key of our certificate authority or the passwords of declared
 * resources, under their well-known names: they must never become a credential, or whoever edits the configuration could publish them into every namespace.
 */
export function isIdentitySecretName(name: string): boolean {
  if (['state', 'webhook-ca', 'resources'].some((what) => name.startsWith(`${MANAGER}-${what}-`))) return true;
  return name === ALIBABA_KEY_SECRETS.addon || /^addon\..+\.token$/.test(name);
}
