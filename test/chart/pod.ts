// The program as a Pod of a release would run it, where there is no kubelet: with the arguments and the environment of the
// Deployment in the cluster, and a token of its ServiceAccount, so that its rights are those of the release and no others.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../support/control-plane/control-plane.ts';
import { freePort } from '../support/control-plane/ports.ts';
import { buildKubeconfig } from '../support/control-plane/users.ts';
import { startReplica, type Replica } from '../support/replica.ts';
import type { PodTemplate } from './helm.ts';
import type { Release } from './releases.ts';
import { PROGRAM_FILE } from '../support/program.ts';

/** How the API server reaches the webhook: at a port of this machine, or by the Service of the release, behind which is nobody. */
export type Reach = 'url' | 'service';

type PodSpec = Pick<PodTemplate['spec'], 'serviceAccountName' | 'containers'>;

/** What a Pod is made from. */
export interface PodOptions {
  readonly namespace: string;
  readonly spec: PodSpec;
  readonly reach?: Reach;
  /** Behind those of the container. */
  readonly args?: readonly string[];
  readonly awaitReady?: boolean;
}

let pods = 0;

/** Starts it; the flags that only a kubelet or a Service could serve are given values of this machine. */
export async function startPod(
  plane: ControlPlane,
  { namespace, spec, reach = 'url', args = [], awaitReady = true }: PodOptions,
): Promise<Replica> {
  const number = (pods += 1);
  const [container] = spec.containers;
  // With the webhook switched off nothing is served.
  const isServed = !container.args.includes('--webhook-address=0');
  const address = `127.0.0.1:${await freePort()}`;
  const webhook = `127.0.0.1:${await freePort()}`;
  return startReplica({
    name: `a Pod of ${spec.serviceAccountName}`,
    args: [
      PROGRAM_FILE,
      ...container.args.filter((argument) => reach === 'service' || !argument.startsWith('--webhook-service=')),
      ...(reach === 'url' && isServed ? [`--webhook-url=https://${webhook}`] : []),
      ...(isServed ? [`--webhook-address=${webhook}`] : []),
      `--metrics-address=${address}`,
      `--kubeconfig=${await writeTokenKubeconfig(plane, namespace, spec.serviceAccountName)}`,
      '--log-level=debug',
      '--log-format=json',
      ...args,
    ],
    ...{ address, awaitReady },
    env: await environmentOf(plane, container, { namespace, name: `pod-${number}` }),
    logFile: join(plane.folder, 'logs', `pod-${number}.log`),
  });
}

/** Starts a Pod of the controller's Deployment of a release, as that is in the cluster now. */
export async function startPodOf(
  plane: ControlPlane,
  { name, namespace }: Pick<Release, 'name' | 'namespace'>,
  options: Pick<PodOptions, 'reach' | 'args' | 'awaitReady'> = {},
): Promise<Replica> {
  return startPod(plane, {
    namespace,
    spec: (await controllerOf(plane, { name, namespace })).spec.template.spec,
    ...options,
  });
}

/** A Deployment as the API server has it. */
export interface LiveDeployment {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly replicas: number; readonly template: PodTemplate };
}

/** The Deployment of the controller of a release. Throws when there is none. */
export async function controllerOf(
  plane: ControlPlane,
  { name, namespace }: Pick<Release, 'name' | 'namespace'>,
): Promise<LiveDeployment> {
  const selector = encodeURIComponent(`app.kubernetes.io/instance=${name}`);
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?labelSelector=${selector}`;
  const { items } = (await plane.request({ path })).body as { items: readonly LiveDeployment[] };
  const found = items.find(({ spec }) => spec.template.spec.containers[0].args[0] === 'controller');
  if (found === undefined) throw new Error(`The release ${namespace}/${name} has no Deployment of the controller`);
  return found;
}

/** A token as the kubelet asks for it, in a kubeconfig. Throws when the release has no such ServiceAccount. */
export async function writeTokenKubeconfig(plane: ControlPlane, namespace: string, name: string): Promise<string> {
  const { status, body } = await plane.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: { spec: { expirationSeconds: 3_600 } },
  });
  if (status !== 201) throw new Error(`No token of ${namespace}/${name}: ${status} ${JSON.stringify(body)}`);
  const { token } = (body as { status: { token: string } }).status;
  const file = join(plane.folder, `kubeconfig-of-${namespace}-${name}`);
  await writeFile(file, buildKubeconfig({ url: plane.url, ca: plane.ca, user: name, token }), { mode: 0o600 });
  return file;
}

/** The variables as a kubelet would set them. Throws for a kind of them that it does not know. */
async function environmentOf(
  plane: ControlPlane,
  { env }: PodSpec['containers'][0],
  { namespace, name: pod }: { readonly namespace: string; readonly name: string },
): Promise<Readonly<Record<string, string>>> {
  const set: Record<string, string> = {};
  for (const variable of env) {
    const { name, value, valueFrom } = variable as Variable;
    const field = valueFrom?.fieldRef?.fieldPath;
    const key = valueFrom?.secretKeyRef;
    if (valueFrom === undefined) set[name] = value ?? '';
    else if (field === 'metadata.namespace') set[name] = namespace;
    else if (field === 'metadata.name') set[name] = pod;
    else if (key !== undefined) {
      const { body } = await plane.request({ path: `/api/v1/namespaces/${namespace}/secrets/${key.name}` });
      const text = (body as { data?: Readonly<Record<string, string>> }).data?.[key.key];
      if (text !== undefined) set[name] = Buffer.from(text, 'base64').toString('utf8');
      else if (key.optional !== true) throw new Error(`${name}: no key ${key.key} in ${namespace}/${key.name}`);
    } else throw new Error(`${name} comes from ${JSON.stringify(valueFrom)}, which the tests cannot set`);
  }
  return set;
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}
