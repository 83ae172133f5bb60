// The admission webhook in integration tests: its object, the way from the API server to a replica, and what the API server does.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { webhookName } from '../../src/core/names.ts';
import type { TestObject } from './cluster.ts';
import { freePort } from './control-plane/ports.ts';
import { eventually } from './eventually.ts';
import { ACR_SECRET, registryInfo } from './expectations.ts';
import type { Replica, World } from './world.ts';

const GROUP = '/apis/admissionregistration.k8s.io/v1';
/** Path of the webhook object. */
export const WEBHOOK_PATH = `${GROUP}/mutatingwebhookconfigurations/${webhookName('default')}`;
/** Path of the one that is about ImagePullSecrets. */
export const VALIDATING_PATH = `${GROUP}/validatingwebhookconfigurations/${webhookName('default')}`;

/** The webhook object as far as tests read it. */
export interface WebhookObject extends TestObject {
  readonly webhooks: readonly {
    readonly failurePolicy: string;
    readonly timeoutSeconds: number;
    readonly sideEffects: string;
    readonly reinvocationPolicy: string;
    readonly clientConfig: { readonly url?: string; readonly caBundle: string };
    readonly [field: string]: unknown;
  }[];
}

/** The webhook object, or the one at another path; undefined = there is none. */
export async function webhookObject({ plane }: World, path = WEBHOOK_PATH): Promise<WebhookObject | undefined> {
  const { status, body } = await plane.request({ path });
  if (status !== 200 && status !== 404) throw new Error(`${status} ${JSON.stringify(body)}`);
  return status === 404 ? undefined : (body as WebhookObject);
}

/** A configuration of every instance for the namespaces `team-*`, with this text under `webhook-configuration`. */
export function withWebhook(world: World, webhook: string, namespaces = 'team-*'): Readonly<Record<string, string>> {
  return {
    'watch-namespace': namespaces,
    'service-account': '*',
    'acr-registry-info': registryInfo(world),
    ...(webhook === '' ? {} : { 'webhook-configuration': webhook }),
  };
}

/** Creates a ServiceAccount as `admin`; gives the status, and name and references of what was stored as the answer has them. */
export async function admit(
  { plane }: World,
  account: {
    readonly namespace: string;
    readonly name?: string;
    readonly generateName?: string;
    readonly imagePullSecrets?: readonly string[];
  },
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<{
  readonly status: number;
  readonly name: string;
  readonly references: readonly string[];
  readonly message: string;
}> {
  const { namespace, name, generateName, imagePullSecrets } = account;
  const { status, body } = await plane.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts${dryRun ? '?dryRun=All' : ''}`,
    body: {
      metadata: { name, generateName },
      ...(imagePullSecrets === undefined
        ? {}
        : { imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })) }),
    },
  });
  const answer = body as {
    message?: string;
    metadata?: { name?: string };
    imagePullSecrets?: readonly { name: string }[];
  };
  const references = (answer.imagePullSecrets ?? []).map((reference) => reference.name);
  return { status, name: answer.metadata?.name ?? '', references, message: answer.message ?? '' };
}

/** Waits until the API server asks the webhook: it hears of the object a moment after it was written. */
export async function intercepted(world: World, namespace: string): Promise<void> {
  await eventually('the API server asks the webhook', async () => {
    const { references } = await admit(world, { namespace, name: 'probe' }, { dryRun: true });
    return references.includes(ACR_SECRET);
  });
}

/** Starts a replica that serves the webhook on `port`, to which the API server comes by `url`. */
export async function startServing(
  world: World,
  options: {
    readonly port?: number;
    readonly url?: string;
    readonly args?: readonly string[];
    readonly program?: readonly string[];
  } = {},
): Promise<Replica & { readonly port: number }> {
  const port = options.port ?? (await freePort());
  const url = options.url ?? `https://127.0.0.1:${port}`;
  const args = [`--webhook-address=127.0.0.1:${port}`, `--webhook-url=${url}`, ...(options.args ?? [])];
  const { program } = options;
  return { ...(await world.startController({ args, ...(program === undefined ? {} : { program }) })), port };
}

/** Fingerprint of the certificate that a new connection is shown. */
export async function servedLeaf(port: number): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  try {
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(undefined)).once('error', reject);
    });
    return socket.getPeerCertificate().fingerprint256;
  } finally {
    socket.destroy();
  }
}

/** A port that leads to another, as a Service leads to its Pods. */
export interface Switchboard {
  readonly url: string;
  /** New connections go to `port`; open ones are closed, and those who held them have noticed when this resolves. */
  route(port: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one that leads nowhere yet. */
export async function startSwitchboard(): Promise<Switchboard> {
  const open = new Set<Socket>();
  const callers = new Set<Socket>();
  let target: number | undefined;
  const server = createServer((socket) => {
    if (target === undefined) {
      socket.destroy();
      return;
    }
    callers.add(socket);
    socket.on('close', () => callers.delete(socket));
    const onward = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async route(next) {
      target = next;
      const noticed = [...callers].map(async (socket) => {
        socket.end();
        await once(socket, 'close');
      });
      await Promise.race([Promise.all(noticed), pause(5_000, undefined, { ref: false })]);
      for (const socket of open) socket.destroy();
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
