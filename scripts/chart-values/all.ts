// Every value of the chart, in the order of values.yaml.
import { CONFIGURATION } from './configuration.ts';
import { HOSTS } from './hosts.ts';
import { IDENTITIES } from './identities.ts';
import { INSTALLATION, NAMES } from './installation.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { MONITORING } from './monitoring.ts';
import { NETWORK } from './network.ts';
import { PLACES, PODS } from './pods.ts';
import type { Group } from './shape.ts';
import { DECLARED, GLOBAL, MANAGED_FORM } from './vendor-forms.ts';

/** The groups; no name is in two of them. */
export const GROUPS: readonly Group[] = [
  { title: 'What is installed', members: INSTALLATION },
  { title: 'Registries, namespaces, ServiceAccounts', members: CONFIGURATION },
  { title: 'ImagePullSecret resources', members: DECLARED },
  { title: 'The form of Alibaba’s managed edition', members: MANAGED_FORM },
  { title: 'The form of Tencent’s add-on, and of parent charts', members: GLOBAL },
  { title: 'Identities, and the way to clouds', members: IDENTITIES },
  { title: 'Names and rights', members: NAMES },
  { title: 'The controller', members: PODS },
  { title: 'Where its Pods run', members: PLACES },
  { title: 'Webhook and network', members: NETWORK },
  { title: 'Hosts files of nodes', members: HOSTS },
  { title: 'Monitoring', members: MONITORING },
  { title: 'Tests, and the end', members: LIFECYCLE },
];
