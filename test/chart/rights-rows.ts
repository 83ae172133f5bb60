// What each right is for, shown by what does not come about without it. A right that the chart renders and no row has, or the other
// way round, fails the test of this table.
import { VENDOR_HELPER } from '../../src/core/names.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { eventually } from '../support/eventually.ts';
import { linesSaying, metric } from '../support/signs.ts';
import { CONFIG_MAP, HOST, SECRET, type RightRow, type Run } from './rights-world.ts';

interface TellingEvent {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string };
}

/** True when the tenant has its Secret, and its ServiceAccount the reference. */
export const served = async ({ world, tenant }: Run): Promise<boolean> =>
  (await world.cluster.get('secrets', SECRET, tenant)) !== undefined &&
  (await world.cluster.references(tenant, 'default')).includes(SECRET);
/** Waits for it. */
export const whenServed = (run: Run): Promise<boolean> => eventually('the tenant is served', () => served(run));
const leads = async ({ replica }: Run): Promise<boolean> =>
  (await metric(replica(), 'registry_credential_helper_leading')) === 1;
/** The Events of a reason in a namespace. */
export const told = async ({ world }: Run, namespace: string, reason: string): Promise<readonly TellingEvent[]> =>
  ((await world.cluster.list('events', namespace)) as unknown as readonly TellingEvent[]).filter(
    (event) => event.reason === reason,
  );
const foreignSecret = { metadata: { name: SECRET }, type: 'Opaque', stringData: { theirs: 'yes' } };
const renewedAt = async ({ world, home, instance }: Run): Promise<string> => {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${home}/leases/registry-credential-helper-${instance}`;
  const { spec } = (await world.plane.request({ path })).body as { spec: { acquireTime: string; renewTime: string } };
  return spec.renewTime > spec.acquireTime ? spec.renewTime : '';
};
const RRSA = {
  rrsa: 'enable: true\n',
  'rrsa-service-account': `${VENDOR_HELPER.namespace}/${VENDOR_HELPER.name}`,
  'acr-registry-info': `- instanceId: ${SAMPLE.instance.instanceId}\n  rrsaRoleARN: ${SAMPLE.roleA.arn}\n  rrsaOIDCProviderRoleARN: ${SAMPLE.oidcProvider.arn}\n`,
};

/** Of namespaces, ServiceAccounts, Secrets and Events. */
export const DELIVERY_ROWS: readonly RightRow[] = [
  { right: 'list namespaces', state: 'a namespace in scope is served', holds: served },
  {
    right: 'watch namespaces',
    state: 'a namespace that is made later is served',
    before: (run) => run.configure({ 'watch-namespace': `${run.tenant}, later-${run.tenant}` }),
    act: async (run) => {
      await whenServed(run);
      await run.world.cluster.namespace(`later-${run.tenant}`);
    },
    holds: async ({ world, tenant }) => (await world.cluster.get('secrets', SECRET, `later-${tenant}`)) !== undefined,
  },
  { right: 'list serviceaccounts', state: 'a ServiceAccount gets its reference', holds: served },
  {
    right: 'watch serviceaccounts',
    state: 'a reference that somebody removes comes back',
    act: async (run) => {
      await whenServed(run);
      await run.world.cluster.patch('serviceaccounts', 'default', { imagePullSecrets: [] }, run.tenant);
    },
    holds: served,
  },
  {
    right: 'get serviceaccounts',
    state: 'an Event names who keeps removing the reference',
    // The API server keeps a record of writers only where the first of them wrote something.
    before: async ({ world, tenant }) => {
      await world.cluster.remove('serviceaccounts', 'default', tenant);
      const path = `/api/v1/namespaces/${tenant}/serviceaccounts?fieldManager=an-owner`;
      await world.plane.request({
        method: 'POST',
        path,
        body: { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'theirs' }] },
      });
    },
    act: fightOver,
    again: async (run) => {
      await run.restart();
      await fightOver(run);
    },
    holds: async (run) => (await told(run, run.tenant, 'Contended')).some(({ message }) => message.includes('a-rival')),
  },
  {
    right: 'patch serviceaccounts',
    state: 'a ServiceAccount gets its reference',
    holds: served,
  },
  { right: 'list secrets', state: 'a namespace in scope is served', holds: served },
  {
    right: 'watch secrets',
    state: 'a Secret that somebody deletes comes back',
    act: async (run) => {
      await whenServed(run);
      await run.world.cluster.remove('secrets', SECRET, run.tenant);
    },
    holds: served,
  },
  {
    right: 'get secrets',
    state: 'an Event says that a Secret of somebody else is in the way',
    before: ({ world, tenant }) => world.cluster.create('secrets', foreignSecret, tenant),
    holds: async (run) => (await told(run, run.tenant, 'NameTaken')).length > 0,
  },
  { right: 'create secrets', state: 'a namespace in scope is served', holds: served },
  {
    right: 'patch secrets',
    state: 'a Secret that somebody empties is repaired',
    act: async (run) => {
      await whenServed(run);
      const data = { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') };
      await run.world.cluster.patch('secrets', SECRET, { data }, run.tenant);
    },
    holds: async ({ world, tenant }) => (await world.cluster.auths(tenant, SECRET))?.[HOST] !== undefined,
  },
  {
    right: 'delete secrets',
    state: 'a Secret that no registry wants any more goes',
    act: async (run) => {
      await whenServed(run);
      await run.configure({ 'registry-info': '[]' });
    },
    holds: async ({ world, tenant }) => (await world.cluster.get('secrets', SECRET, tenant)) === undefined,
  },
  {
    right: 'create events',
    state: 'an Event says what is wrong with the configuration',
    before: (run) => run.configure({ 'expiring-threshold': 'never' }),
    again: (run) => run.configure({ 'expiring-threshold': 'never again' }),
    holds: async (run) => (await told(run, run.home, 'ConfigInvalid')).length > 0,
  },
];

/** Of the release's own namespace. */
export const HOME_ROWS: readonly RightRow[] = [
  { right: `list configmaps ${CONFIG_MAP} in its own namespace`, state: 'the configuration is read', holds: served },
  {
    right: `watch configmaps ${CONFIG_MAP} in its own namespace`,
    state: 'an edit of the configuration takes effect',
    act: async (run) => {
      await whenServed(run);
      await run.configure({ 'registry-info': '[]' });
    },
    holds: async ({ world, tenant }) => (await world.cluster.get('secrets', SECRET, tenant)) === undefined,
  },
  { right: 'get leases.coordination.k8s.io in its own namespace', state: 'a replica leads', holds: leads },
  { right: 'create leases.coordination.k8s.io in its own namespace', state: 'a replica leads', holds: leads },
  {
    right: 'update leases.coordination.k8s.io in its own namespace',
    state: 'the leader renews its Lease',
    holds: async (run) => (await renewedAt(run)) !== '',
  },
];

/** Of what belongs to Alibaba's add-on, in kube-system: these rows run one after the other. */
export const VENDOR_ROWS: readonly RightRow[] = [
  {
    right: 'create serviceaccounts/token in kube-system',
    state: 'a registry is served by RRSA',
    before: async (run) => {
      await ensureHelperAccount(run);
      await run.configure(RRSA);
    },
    again: (run) => run.restart(),
    holds: servedByRrsa,
  },
  {
    right: 'create serviceaccounts in kube-system',
    state: 'the ServiceAccount that trust policies name is made',
    before: async (run) => {
      await run.world.cluster.remove('serviceaccounts', VENDOR_HELPER.name, VENDOR_HELPER.namespace);
      await run.configure(RRSA);
    },
    again: (run) => run.restart(),
    holds: servedByRrsa,
  },
  {
    right: 'list deployments.apps in kube-system',
    state: 'it stands down while Alibaba’s add-on runs',
    before: startVendor,
    holds: standsDown,
  },
  {
    right: 'watch deployments.apps in kube-system',
    state: 'it takes over when Alibaba’s add-on is stopped',
    before: startVendor,
    act: async (run) => {
      await eventually('it stands down', () => standsDown(run));
      await run.world.cluster.patch(
        'deployments',
        VENDOR_HELPER.name,
        { spec: { replicas: 0 } },
        VENDOR_HELPER.namespace,
      );
    },
    holds: served,
  },
];

async function ensureHelperAccount({ world }: Run): Promise<void> {
  const { namespace, name } = VENDOR_HELPER;
  if ((await world.cluster.get('serviceaccounts', name, namespace)) === undefined)
    await world.cluster.serviceAccount(namespace, name);
}

async function servedByRrsa({ world, tenant }: Run): Promise<boolean> {
  return (await world.cluster.get('secrets', 'acr-credential-secret-aggregation', tenant)) !== undefined;
}

async function startVendor({ world }: Run): Promise<void> {
  const labels = { app: VENDOR_HELPER.name };
  const container = { name: 'helper', image: 'vendor.example/acr-credential-helper:1' };
  const spec = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [container] } },
  };
  await removeVendor({ world });
  await world.cluster.create('deployments', { metadata: { name: VENDOR_HELPER.name }, spec }, VENDOR_HELPER.namespace);
}

/** Nothing of a row is to be seen by the next. */
export async function removeVendor({ world }: Pick<Run, 'world'>): Promise<void> {
  await world.cluster.remove('deployments', VENDOR_HELPER.name, VENDOR_HELPER.namespace);
}

async function standsDown(run: Run): Promise<boolean> {
  return (await told(run, run.home, 'VendorHelperRuns')).length > 0;
}

/** Another writer puts a list of its own there, until it is told of. */
async function fightOver(run: Run): Promise<void> {
  const { world, tenant, replica } = run;
  const path = `/api/v1/namespaces/${tenant}/serviceaccounts/default?fieldManager=a-rival`;
  const noticed = async () => (await linesSaying(replica(), 'Reference keeps being removed')).length;
  const before = await noticed();
  await eventually('the fight is noticed', async () => {
    if ((await noticed()) > before) return true;
    if (!(await served(run))) return false;
    await world.plane.request({
      method: 'PATCH',
      path,
      // An empty list would be nobody's.
      body: { imagePullSecrets: [{ name: 'theirs' }] },
      contentType: 'application/merge-patch+json',
    });
    return false;
  });
}
