// A node inside of the private namespaces: containerd, kubelet, kube-proxy, the scheduler that gives it Pods, and the cluster's DNS.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ControlPlane } from '../support/control-plane/control-plane.ts';
import { startProcess, type RunningProcess } from '../support/control-plane/processes.ts';
import { eventually } from '../support/eventually.ts';
import { ADDRESSES } from './addresses.ts';
import { startClusterNames } from './cluster-names.ts';
import { runProgram, succeed } from './run-program.ts';
import {
  buildContainerdConfig,
  buildKubeletConfig,
  buildNetworkConfig,
  buildProxyConfig,
  buildRegistryHosts,
} from './node-files.ts';

/** The users of the node's programs, for the control plane. */
export const NODE_USERS = [
  { name: `system:node:${ADDRESSES.nodeName}`, groups: ['system:nodes'] },
  { name: 'system:kube-scheduler' },
  { name: 'system:kube-proxy' },
] as const;

/** The name of the image of every Pod's sandbox: loaded, never pulled. */
export const PAUSE_IMAGE = 'e2e.local/pause:1';

/** A node that is ready for Pods. */
export interface ClusterNode {
  /** Logs of its programs, by name. */
  readonly logs: Readonly<Record<'containerd' | 'kubelet' | 'kube-proxy' | 'kube-scheduler', string>>;
  /** Loads an archive as `docker save` writes it. */
  loadImage(file: string): Promise<void>;
  /** Gives an image that is there another name. */
  tagImage(from: string, to: string): Promise<void>;
  /** Names of the images that are there. */
  images(): Promise<readonly string[]>;
}

/** Starts a node of a control plane, whose API server listens on the loopback interface, and waits until it is ready. */
export async function startNode(of: {
  readonly plane: ControlPlane;
  readonly tools: Readonly<Record<'kubelet' | 'kube-proxy' | 'kube-scheduler', string>>;
  readonly folder: string;
  /** Archive of the sandbox's image, named `PAUSE_IMAGE`. */
  readonly pauseArchive: string;
  /** PEM file of the authority to trust for the registry. */
  readonly registryCa: string;
}): Promise<ClusterNode> {
  const { plane, folder, tools } = of;
  const file = (name: string): string => path.join(folder, name);
  await publishApiServer(plane);
  await writeNodeFiles(folder, of.registryCa);
  await startClusterNames(plane, ADDRESSES.backstage);

  const logs = {
    containerd: file('containerd.log'),
    kubelet: file('kubelet.log'),
    'kube-proxy': file('kube-proxy.log'),
    'kube-scheduler': file('kube-scheduler.log'),
  };
  const ctr = (...args: readonly string[]): Promise<string> => succeed('ctr', ['--namespace=k8s.io', ...args]);
  await startProcess({
    name: 'containerd',
    command: 'containerd',
    args: ['--config', file('containerd.toml')],
    logFile: logs.containerd,
    ready: async () => (await runProgram('ctr', ['version'])).code === 0,
  });
  await ctr('images', 'import', of.pauseArchive);

  const scheduler = plane.kubeconfig('system:kube-scheduler');
  await startProcess({
    name: 'kube-scheduler',
    command: tools['kube-scheduler'],
    args: [
      ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
        (flag) => `--${flag}=${scheduler}`,
      ),
      '--bind-address=127.0.0.1',
      `--cert-dir=${file('scheduler')}`,
      '--leader-elect=false',
    ],
    logFile: logs['kube-scheduler'],
  });
  const kubelet = await startProcess({
    name: 'kubelet',
    command: tools.kubelet,
    args: [
      `--config=${file('kubelet.json')}`,
      `--kubeconfig=${plane.kubeconfig(NODE_USERS[0].name)}`,
      `--root-dir=${file('kubelet')}`,
      `--cert-dir=${file('kubelet-certificates')}`,
      `--hostname-override=${ADDRESSES.nodeName}`,
      `--node-ip=${ADDRESSES.node}`,
    ],
    logFile: logs.kubelet,
  });
  await writeFile(file('kube-proxy.json'), JSON.stringify(buildProxyConfig(plane.kubeconfig('system:kube-proxy'))));
  await startProcess({
    name: 'kube-proxy',
    command: tools['kube-proxy'],
    args: [`--config=${file('kube-proxy.json')}`],
    logFile: logs['kube-proxy'],
    ready: async () => (await fetch('http://127.0.0.1:10256/healthz')).ok,
  });
  await untilReady(plane, kubelet);
  return {
    logs,
    loadImage: async (archive) => {
      await ctr('images', 'import', archive);
    },
    tagImage: async (from, to) => {
      await ctr('images', 'tag', '--force', from, to);
    },
    images: async () => (await ctr('images', 'ls', '--quiet')).split('\n').filter((name) => name !== ''),
  };
}

/** Makes the API server reachable where every Pod looks for it. */
async function publishApiServer(plane: ControlPlane): Promise<void> {
  const target = `127.0.0.1:${new URL(plane.url).port}`;
  for (const chain of ['PREROUTING', 'OUTPUT']) {
    const match = ['-d', ADDRESSES.apiServer, '-p', 'tcp', '--dport', '443'];
    await succeed('iptables', ['-t', 'nat', '-A', chain, ...match, '-j', 'DNAT', '--to-destination', target]);
  }
}

async function writeNodeFiles(folder: string, registryCa: string): Promise<void> {
  const file = (name: string): string => path.join(folder, name);
  const certificates = file(path.join('certs.d', ADDRESSES.registryName));
  for (const name of [file('cni'), file('volume-plugins'), certificates]) await mkdir(name, { recursive: true });
  await writeFile(path.join(certificates, 'hosts.toml'), buildRegistryHosts(ADDRESSES.registryName, registryCa));
  await writeFile(file('cni/10-e2e.conflist'), JSON.stringify(buildNetworkConfig(folder)));
  await writeFile(file('containerd.toml'), buildContainerdConfig(folder, PAUSE_IMAGE));
  await writeFile(file('kubelet.json'), JSON.stringify(buildKubeletConfig(folder)));
}

async function untilReady(plane: ControlPlane, kubelet: RunningProcess): Promise<void> {
  const path_ = `/api/v1/nodes/${ADDRESSES.nodeName}`;
  await eventually(
    `the node is ready; see ${kubelet.logFile}`,
    async () => {
      const { body } = await plane.request({ path: path_ });
      const { status } = body as { status?: { conditions?: readonly { type: string; status: string }[] } };
      return status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True');
    },
    90_000,
  );
}
