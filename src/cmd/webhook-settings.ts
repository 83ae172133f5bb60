// The flags of the admission webhook: where this process serves it, and how the API server gets there.

/** Where the API server finds the webhook. */
export type WebhookTarget =
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string; readonly port: number }
  /** Without a slash at its end. */
  | { readonly kind: 'url'; readonly url: string };

/** What the flags say. */
export interface WebhookFlags {
  /** `:10250`, `127.0.0.1:0`; empty = this process serves none. */
  readonly address: string;
  /** undefined = nobody told how the API server gets there: then there is no webhook, whatever the ConfigMap says. */
  readonly target: WebhookTarget | undefined;
  /** Name of the ClusterRole that owns the webhook, so that it goes when the installation does. */
  readonly clusterRole: string;
}

/** The flags as rows of the table in `settings.ts`. */
export const WEBHOOK_FLAGS = [
  {
    name: 'webhook-address',
    value: 'ADDRESS',
    help: 'where to serve the admission webhook that the ConfigMap switches on; 0 or empty = nowhere (default: :10250)',
    commands: ['controller'],
    mayBeEmpty: true,
  },
  {
    name: 'webhook-service',
    value: 'NAMESPACE/NAME:PORT',
    help: 'the Service through which the API server reaches it; without :PORT 443. Without this and --webhook-url there is no webhook',
    commands: ['controller', 'self-test'],
  },
  {
    name: 'webhook-url',
    value: 'URL',
    help: 'the address at which the API server reaches it instead, for a program outside of the cluster: https://HOST:PORT',
    commands: ['controller', 'self-test'],
  },
  {
    name: 'cluster-role',
    value: 'NAME',
    help: 'the ClusterRole that owns the webhook object, so that it goes with the installation (default: registry-credential-helper)',
    commands: ['controller', 'self-test'],
  },
] as const;

const ADDRESS = /^(\[[0-9a-f:.]+\]|[^:\s]*):([0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/i;
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Reads them; what is wrong goes to `issues`. */
export function parseWebhookFlags(values: ReadonlyMap<string, string>, issues: string[]): WebhookFlags {
  const address = values.get('webhook-address') ?? ':10250';
  const isOff = address === '' || address === '0';
  if (!isOff && !ADDRESS.test(address)) issues.push(`--webhook-address=${address} must be HOST:PORT, :PORT or empty`);
  const service = values.get('webhook-service');
  const url = values.get('webhook-url');
  if (service !== undefined && url !== undefined) {
    issues.push('--webhook-service and --webhook-url exclude each other: keep one of them');
  }
  const target = service === undefined ? parseUrl(url, issues) : parseService(service, issues);
  const clusterRole = values.get('cluster-role') ?? 'registry-credential-helper';
  return { address: isOff ? '' : address, target, clusterRole };
}

function parseService(text: string, issues: string[]): WebhookTarget | undefined {
  const [, namespace = '', name = '', digits = '443'] = /^([^/]+)\/([^/:]+)(?::(\d+))?$/.exec(text) ?? [];
  const port = Number(digits);
  if (DNS_LABEL.test(namespace) && DNS_LABEL.test(name) && port >= 1 && port <= 65_535) {
    return { kind: 'service', namespace, name, port };
  }
  issues.push(`--webhook-service=${text} must be NAMESPACE/NAME:PORT, e.g. kube-system/registry-credential-helper:443`);
  return undefined;
}

/** What the API server takes for `clientConfig.url`: https, no user, no query, no fragment. */
function parseUrl(text: string | undefined, issues: string[]): WebhookTarget | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.protocol === 'https:' && url.username === '' && url.search === '' && url.hash === '';
  if (isPlain) return { kind: 'url', url: url.href.replace(/\/$/, '') };
  issues.push(`--webhook-url=${text} must be https://HOST:PORT, e.g. https://10.0.0.5:10250`);
  return undefined;
}
