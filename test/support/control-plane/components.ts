// The command lines of the control plane's processes.
import path from 'node:path';
import type { ClusterFiles } from './cluster-files.ts';
import type { ProcessSpec } from './processes.ts';

/** The issuer of ServiceAccount tokens, as in most real clusters. */
export const SERVICE_ACCOUNT_ISSUER = 'https://kubernetes.default.svc';

/** etcd with one member. Data survives a stop of the process, not a crash of the machine: that makes it fast. */
export function etcdSpec(of: {
  readonly command: string;
  readonly files: ClusterFiles;
  readonly clientUrl: string;
  readonly peerUrl: string;
}): Omit<ProcessSpec, 'ready'> {
  return {
    name: 'etcd',
    command: of.command,
    args: [
      '--name=test',
      `--data-dir=${path.join(of.files.folder, 'etcd')}`,
      `--listen-client-urls=${of.clientUrl}`,
      `--advertise-client-urls=${of.clientUrl}`,
      `--listen-peer-urls=${of.peerUrl}`,
      `--initial-advertise-peer-urls=${of.peerUrl}`,
      `--initial-cluster=test=${of.peerUrl}`,
      '--unsafe-no-fsync',
      '--heartbeat-interval=20',
      '--election-timeout=200',
      '--quota-backend-bytes=4294967296',
      '--log-level=warn',
    ],
    logFile: path.join(of.files.folder, 'etcd.log'),
  };
}

/** kube-apiserver with RBAC, the default admission plugins and static tokens. */
export function apiServerSpec(of: {
  readonly command: string;
  readonly files: ClusterFiles;
  readonly port: number;
  readonly etcdUrl: string;
  readonly audit: boolean;
  readonly flags: readonly string[];
}): Omit<ProcessSpec, 'ready'> {
  const { files } = of;
  return {
    name: 'kube-apiserver',
    command: of.command,
    args: [
      `--etcd-servers=${of.etcdUrl}`,
      `--secure-port=${of.port}`,
      '--bind-address=127.0.0.1',
      // Told, as it would otherwise look for a default route, which a machine without network lacks.
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--cert-dir=${files.certDir}`,
      `--service-account-issuer=${SERVICE_ACCOUNT_ISSUER}`,
      `--service-account-signing-key-file=${files.serviceAccountKey}`,
      `--service-account-key-file=${files.serviceAccountPublicKey}`,
      `--token-auth-file=${files.tokenFile}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=ServiceAccount,NodeRestriction',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--allow-privileged',
      ...(of.audit
        ? [
            `--audit-policy-file=${files.auditPolicyFile}`,
            `--audit-log-path=${files.auditLogFile}`,
            '--audit-log-maxsize=10240', // never rotated: readers remember their place in the file
          ]
        : []),
      ...of.flags,
    ],
    logFile: path.join(files.folder, 'kube-apiserver.log'),
  };
}

/** kube-controller-manager: default ServiceAccounts, deletion of namespaces, garbage collection. */
export function controllerManagerSpec(of: {
  readonly command: string;
  readonly files: ClusterFiles;
  readonly port: number;
  readonly kubeconfig: string;
}): Omit<ProcessSpec, 'ready'> {
  return {
    name: 'kube-controller-manager',
    command: of.command,
    args: [
      `--secure-port=${of.port}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${path.join(of.files.folder, 'controller-manager')}`,
      `--kubeconfig=${of.kubeconfig}`,
      `--authentication-kubeconfig=${of.kubeconfig}`,
      `--authorization-kubeconfig=${of.kubeconfig}`,
      `--service-account-private-key-file=${of.files.serviceAccountKey}`,
      `--root-ca-file=${of.files.caFile}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
      // Its default limit of 20 calls per second would make tests with many namespaces wait for it, not for us.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
    logFile: path.join(of.files.folder, 'kube-controller-manager.log'),
  };
}
