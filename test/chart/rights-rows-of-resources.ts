// What the rights on `ImagePullSecret` resources, and on what decides whether they are ours, are for. Resources belong to the whole
// cluster: these rows run one after the other.
import { TCR_ASSISTANT } from '../../src/core/names.ts';
import { eventually } from '../support/eventually.ts';
import { applyCrd, CRD_NAME, resource } from '../support/image-pull-secrets.ts';
import type { RightRow, Run } from './rights-world.ts';

const nameOf = ({ instance }: Run): string => `resource-of-${instance}`;
const specOf = ({ tenant }: Run) => ({
  namespaces: tenant,
  serviceAccounts: 'default',
  docker: { server: 'other.example.com', username: 'somebody', password: 'fake-password-of-a-resource' },
});
const put = (run: Run): Promise<unknown> =>
  run.world.cluster.create('imagepullsecrets', resource(nameOf(run), specOf(run)));
const isDelivered = async (run: Run): Promise<boolean> =>
  (await run.world.cluster.get('secrets', `tcr.ips${nameOf(run)}`, run.tenant)) !== undefined;
const whenDelivered = (run: Run): Promise<boolean> => eventually('it is delivered', () => isDelivered(run));
const conditions = async (run: Run): Promise<readonly { type: string; status: string; reason: string }[]> => {
  const found = (await run.world.cluster.get('imagepullsecrets', nameOf(run))) as
    { readonly status?: { readonly conditions?: [] } } | undefined;
  return found?.status?.conditions ?? [];
};
const isStalled = async (run: Run): Promise<boolean> =>
  (await conditions(run)).some(({ type, reason }) => type === 'Stalled' && reason === 'VendorHelperRuns');

/** Writes the Secret that declares resources: this one, in these namespaces, or none. */
async function declare(run: Run, namespaces: string | undefined): Promise<void> {
  const { cluster } = run.world;
  const name = `registry-credential-helper-resources-${run.instance}`;
  const items = namespaces === undefined ? [] : [{ name: nameOf(run), spec: { ...specOf(run), namespaces } }];
  const stringData = { 'imagePullSecrets.json': JSON.stringify(items) };
  const present = await cluster.get('secrets', name, run.home);
  if (present === undefined) await cluster.create('secrets', { metadata: { name }, stringData }, run.home);
  else await cluster.patch('secrets', name, { stringData }, run.home);
}
const made = async (run: Run) =>
  (await run.world.cluster.get('imagepullsecrets', nameOf(run))) as
    { readonly spec?: { readonly namespaces?: string } } | undefined;
const whenMade = (run: Run) => eventually('the declared resource is made', () => made(run));

async function scaleVendor({ world }: Run, replicas: number): Promise<void> {
  const { namespace, name } = TCR_ASSISTANT;
  if ((await world.cluster.get('namespaces', namespace)) === undefined) await world.cluster.namespace(namespace);
  const labels = { 'control-plane': 'tcr-assistant' };
  const container = { name: 'manager', image: 'vendor.example/tcr-assistant:1' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  if ((await world.cluster.get('deployments', name, namespace)) === undefined)
    await world.cluster.create('deployments', { metadata: { name }, spec }, namespace);
  else await world.cluster.patch('deployments', name, { spec: { replicas } }, namespace);
}

const RESOURCES = 'imagepullsecrets.tcr.tencentcloudcr.com';

export const RESOURCE_ROWS: readonly RightRow[] = [
  {
    right: 'list customresourcedefinitions.apiextensions.k8s.io',
    state: 'a resource is delivered',
    before: put,
    holds: isDelivered,
  },
  {
    right: 'watch customresourcedefinitions.apiextensions.k8s.io',
    state: 'a resource is delivered whose definition comes later',
    before: async ({ kubectl }) => {
      await kubectl(['delete', 'crd', CRD_NAME, '--wait=true']);
    },
    act: async (run) => {
      await applyCrd(run.kubectl);
      await eventually('the API server takes a resource', async () => (await put(run)) !== undefined);
    },
    holds: isDelivered,
  },
  {
    right: 'get customresourcedefinitions.apiextensions.k8s.io',
    state: 'what was delivered goes with its resource',
    before: put,
    act: async (run) => {
      await whenDelivered(run);
      await run.world.cluster.remove('imagepullsecrets', nameOf(run));
    },
    holds: async (run) => !(await isDelivered(run)),
  },
  { right: `list ${RESOURCES}`, state: 'a resource is delivered', before: put, holds: isDelivered },
  { right: `watch ${RESOURCES}`, state: 'a resource that is made later is delivered', act: put, holds: isDelivered },
  {
    right: 'patch imagepullsecrets/status.tcr.tencentcloudcr.com',
    state: 'a resource says that it is delivered',
    before: put,
    holds: async (run) => (await conditions(run)).some(({ type, status }) => type === 'Ready' && status === 'True'),
  },
  {
    right: `create ${RESOURCES}`,
    state: 'a declared resource is made',
    before: (run) => declare(run, run.tenant),
    holds: async (run) => (await made(run)) !== undefined,
  },
  {
    right: `patch ${RESOURCES}`,
    state: 'a declared resource follows its declaration',
    before: (run) => declare(run, run.tenant),
    act: async (run) => {
      await whenMade(run);
      await declare(run, 'elsewhere');
    },
    holds: async (run) => (await made(run))?.spec?.namespaces === 'elsewhere',
  },
  {
    right: `delete ${RESOURCES}`,
    state: 'a resource that is declared no more goes',
    before: (run) => declare(run, run.tenant),
    act: async (run) => {
      await whenMade(run);
      await declare(run, undefined);
    },
    holds: async (run) => (await made(run)) === undefined,
  },
  {
    right: 'list deployments.apps',
    state: 'resources are left to Tencent’s add-on while that runs',
    before: async (run) => {
      await scaleVendor(run, 1);
      await put(run);
    },
    holds: isStalled,
  },
  {
    right: 'watch deployments.apps',
    state: 'resources are served when Tencent’s add-on is stopped',
    before: async (run) => {
      await scaleVendor(run, 1);
      await put(run);
    },
    act: async (run) => {
      await eventually('it stands down', () => isStalled(run));
      await scaleVendor(run, 0);
    },
    holds: isDelivered,
  },
];

/** Nothing of a row is to be seen by the next. */
export async function removeResources({ world }: Pick<Run, 'world'>): Promise<void> {
  await world.cluster.remove('deployments', TCR_ASSISTANT.name, TCR_ASSISTANT.namespace);
  for (const { metadata } of await world.cluster.list('imagepullsecrets'))
    await world.cluster.remove('imagepullsecrets', metadata.name);
}
