// The configuration files of a node's programs, as texts and objects. Everything that they write stays in one folder.
import path from 'node:path';
import { ADDRESSES } from './addresses.ts';
import { CLUSTER_DOMAIN } from './cluster-names.ts';
import { CNI_FOLDER } from './packages.ts';

/** containerd's, TOML. */
export function buildContainerdConfig(folder: string, pauseImage: string): string {
  const quoted = (name: string): string => JSON.stringify(path.join(folder, name));
  return `version = 2
root = ${quoted('containerd')}
state = "/run/containerd"
[plugins."io.containerd.internal.v1.opt"]
  path = ${quoted('containerd-opt')}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Sandboxes without CAP_SYS_RESOURCE may not lower it.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_FOLDER}"
    conf_dir = ${quoted('cni')}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quoted('certs.d')}
`;
}

/** containerd's `hosts.toml` for one registry. */
export function buildRegistryHosts(name: string, ca: string): string {
  return `server = "https://${name}"
[host."https://${name}"]
  ca = ${JSON.stringify(ca)}
`;
}

/** A bridge with host-local addresses. */
export function buildNetworkConfig(folder: string): unknown {
  const ipam = {
    type: 'host-local',
    dataDir: path.join(folder, 'ipam'),
    ranges: [[{ subnet: ADDRESSES.pods }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam };
  return { cniVersion: '1.0.0', name: 'e2e', plugins: [bridge] };
}

/** The kubelet's, a KubeletConfiguration. */
export function buildKubeletConfig(folder: string): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: ADDRESSES.node,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    clusterDNS: [ADDRESSES.backstage],
    clusterDomain: CLUSTER_DOMAIN,
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    volumePluginDir: path.join(folder, 'volume-plugins'),
    serializeImagePulls: false,
    // A disk that others have filled is no reason to remove images or Pods here.
    evictionHard: { 'memory.available': '0%' },
    imageGCHighThresholdPercent: 100,
  };
}

/** kube-proxy's, a KubeProxyConfiguration: Services by rules of iptables, and none of the settings of the whole machine. */
export function buildProxyConfig(kubeconfig: string): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig },
    clusterCIDR: ADDRESSES.pods,
    hostnameOverride: ADDRESSES.nodeName,
    bindAddress: ADDRESSES.node,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    iptables: { minSyncPeriod: '0s', syncPeriod: '30s' },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
