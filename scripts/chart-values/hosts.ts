// Values about names in the hosts files of nodes.
import {
  AFFINITY,
  ANY_MAP,
  OBJECT_NAME,
  OPTIONAL_NAME,
  OPTIONAL_NAMESPACE,
  RESOURCES,
  TEXTS,
  TOLERATION,
  UPDATE_STRATEGY,
} from './schemas.ts';
import { flag, list, section, text, value, type Members } from './shape.ts';
import { HOST_ITEM } from './vendor-forms.ts';

/** The DaemonSet that keeps a block in hosts files. */
export const HOSTS: Members = {
  hosts: section(
    'Names in the hosts files of nodes: a workaround, see `docs/hosts-updater.md`. The Pods mount a folder of the node and run as root: their namespace must allow the Pod Security level `privileged`.',
    {
      enabled: value(
        'Whether the DaemonSet is there; null = when there are items. Switched off, it takes its lines from every node first, and goes with the next upgrade after that.',
        null,
        {
          type: ['boolean', 'null'],
        },
      ),
      namespace: text(
        'Namespace of the DaemonSet and its list; it must be there, and stay here until the DaemonSet is gone. Empty = that of the release.',
        '',
        OPTIONAL_NAMESPACE,
      ),
      items: list('Names and addresses: `{domain: acme-vpc.tencentcloudcr.com, ip: 10.20.0.7}`.', HOST_ITEM),
      existingConfigMap: text(
        'Name of a ConfigMap of yours with the list, in the place of `items`, to edit it by hand.',
        '',
        OPTIONAL_NAME,
      ),
      configMapName: text(
        'Name of the ConfigMap that the chart makes from `items`: the vendor’s.',
        'updater-config',
        OBJECT_NAME,
      ),
      folder: text('Folder of the node that holds the file.', '/etc', { pattern: '^/' }),
      file: text('Name of the file in it.', 'hosts', { pattern: '^[^/]+$' }),
      inPlace: flag('Never replace the file by rename: for nodes with SELinux, and where Pods mount the file.', false),
      interval: text('Everything is looked at anew this often, besides what is noticed at once.', '30s', {
        pattern: '^([0-9]+(ms|s|m|h))+$',
      }),
      extraArgs: list('Further flags of the command `hosts`, each `--flag=value`.', {
        type: 'string',
        pattern: '^--[a-z]',
      }),
      resources: value(
        'Requests and limits. A lower limit ends the process while it follows a long file, and loses what comes late.',
        { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '192Mi' } },
        RESOURCES,
      ),
      containerSecurityContext: value(
        'Security context of the container. The file and its folder belong to root.',
        {
          runAsUser: 0,
          runAsGroup: 0,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
        ANY_MAP,
      ),
      podLabels: value('Further labels of the Pods.', {}, TEXTS),
      podAnnotations: value('Annotations of the Pods.', {}, TEXTS),
      priorityClassName: text(
        'Priority class of the Pods; empty = `system-node-critical` in kube-system, and the default of the cluster elsewhere.',
      ),
      nodeSelector: value('Labels that a node must have.', { 'kubernetes.io/os': 'linux' }, TEXTS),
      tolerations: list('Taints of nodes that the Pods tolerate.', TOLERATION, [{ operator: 'Exists' }]),
      affinity: value(
        'Affinity of the Pods: not on virtual nodes of ACK and super nodes of TKE, which have no hosts file.',
        {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [
                    { key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] },
                    { key: 'node.kubernetes.io/instance-type', operator: 'NotIn', values: ['eklet'] },
                  ],
                },
              ],
            },
          },
        },
        AFFINITY,
      ),
      updateStrategy: value(
        'How the DaemonSet replaces its Pods.',
        { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
        UPDATE_STRATEGY,
      ),
    },
  ),
};
