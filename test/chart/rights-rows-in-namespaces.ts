// What the rights are for with `namespaces`, where Roles in these and a few other places stand for what is given in the whole cluster.
import {
  ACR_SECRET_NAME,
  ALIBABA_KEY_SECRETS,
  authoritySecretName,
  STATE_KEYS,
  stateSecretName,
} from '../../src/core/names.ts';
import { mintSession } from '../support/clouds/alibaba-sessions.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { buildManagedRoleTokenSecret } from '../support/clouds/managed-role-token.ts';
import { eventually } from '../support/eventually.ts';
import { resource } from '../support/image-pull-secrets.ts';
import { DELIVERY_ROWS, served, told, whenServed } from './rights-rows.ts';
import { ON, whenThere } from './rights-rows-of-webhooks.ts';
import { HOST, RENDERED, SECRET, type RightRow, type Run } from './rights-world.ts';

const OWN = 'in its own namespace';
const MASTER_COPY = stateSecretName(RENDERED);
const AUTHORITY = authoritySecretName(RENDERED);

const ownSecret = ({ world, home }: Run, name: string) => world.cluster.get('secrets', name, home);
const masterCopy = (run: Run) => ownSecret(run, stateSecretName(run.instance));
const authority = (run: Run) => ownSecret(run, authoritySecretName(run.instance));
const remembered = async (run: Run): Promise<string> =>
  Buffer.from((await masterCopy(run))?.data?.[STATE_KEYS.configuration] ?? '', 'base64').toString('utf8');
const whenRemembered = (run: Run) => eventually('the master copy is there', () => masterCopy(run));

/** Of the namespaces that are served: what the rows of the whole cluster show, there. */
const SERVED_ROWS: readonly RightRow[] = [
  ...DELIVERY_ROWS.filter(({ right }) => /^(?!watch ).* (secrets|serviceaccounts)$/.test(right)).map((row) => ({
    ...row,
    right: `${row.right} in a served namespace`,
  })),
  // What may be listed and not watched counts as not read: the namespace is left alone.
  ...['secrets', 'serviceaccounts'].map((resource) => ({
    right: `watch ${resource} in a served namespace`,
    state: 'a namespace of the list is served',
    holds: served,
  })),
  {
    right: 'create events in a served namespace',
    state: 'an Event says that a Secret of somebody else is in the way',
    before: ({ world, tenant }) =>
      world.cluster.create('secrets', { metadata: { name: SECRET }, stringData: { theirs: 'yes' } }, tenant),
    again: (run) => run.restart(),
    holds: async (run) => (await told(run, run.tenant, 'NameTaken')).length > 0,
  },
];

/** Of the release's own namespace. */
const OWN_ROWS: readonly RightRow[] = [
  ...DELIVERY_ROWS.filter(({ right }) => right === 'create events').map((row) => ({
    ...row,
    right: `${row.right} ${OWN}`,
  })),
  { right: `list secrets ${OWN}`, state: 'a password is read, and a namespace served', holds: served },
  {
    right: `watch secrets ${OWN}`,
    state: 'a password that somebody changes reaches the namespaces',
    act: async (run) => {
      await whenServed(run);
      const stringData = { password: 'another-fake-password-of-a-row' };
      await run.world.cluster.patch('secrets', 'password', { stringData }, run.home);
    },
    holds: async ({ world, tenant }) =>
      (await world.cluster.auths(tenant, SECRET))?.[HOST]?.password === 'another-fake-password-of-a-row',
  },
  {
    right: `create secrets ${OWN}`,
    state: 'there is a master copy for the next leader',
    holds: async (run) => (await masterCopy(run)) !== undefined,
  },
  {
    right: `get secrets ${MASTER_COPY} ${OWN}`,
    state: 'a leader knows what an earlier one left, and serves a namespace',
    holds: served,
  },
  {
    right: `patch secrets ${MASTER_COPY} ${OWN}`,
    state: 'the master copy follows the configuration',
    act: async (run) => {
      await whenRemembered(run);
      await run.configure({ 'expiring-threshold': '17m' });
    },
    holds: async (run) => (await remembered(run)).includes('17m'),
  },
  {
    right: `delete secrets ${MASTER_COPY} ${OWN}`,
    state: 'the master copy goes with cleanup',
    act: whenRemembered,
    holds: async (run) => (await masterCopy(run)) === undefined,
    byCleanup: true,
  },
  {
    right: `patch secrets ${AUTHORITY} ${OWN}`,
    state: 'a certificate authority that somebody spoils is made anew',
    before: (run) => run.configure(ON),
    act: async (run) => {
      await whenThere(run, 'mutating');
      await run.world.cluster.patch(
        'secrets',
        authoritySecretName(run.instance),
        { data: { 'tls.crt': '' } },
        run.home,
      );
    },
    holds: async (run) => ((await authority(run))?.data?.['tls.crt'] ?? '') !== '',
  },
  ...(['get', 'delete'] as const).map((verb): RightRow => ({
    right: `${verb} secrets ${AUTHORITY} ${OWN}`,
    state: 'the certificate authority goes with cleanup',
    act: (run) => eventually('the authority is there', () => authority(run)),
    holds: async (run) => (await authority(run)) === undefined,
    byCleanup: true,
  })),
];

/** Side by side. */
export const NAMESPACED_ROWS: readonly RightRow[] = [...SERVED_ROWS, ...OWN_ROWS];

const ITEM = `- instanceId: ${SAMPLE.instance.instanceId}\n`;
const servedByCloud = async ({ world, tenant }: Run): Promise<boolean> =>
  (await world.cluster.get('secrets', ACR_SECRET_NAME, tenant)) !== undefined;

/** Where no other identity could take the place of the Secret. */
async function configureCloud(run: Run, tokenMode: 'auto' | 'managedRole'): Promise<void> {
  await run.world.clouds.metadata.down();
  await run.configure({ 'acr-registry-info': ITEM, region: SAMPLE.instance.regionId, tokenMode });
}

async function putKey({ world }: Run, name: string): Promise<void> {
  if (name === ALIBABA_KEY_SECRETS.addon) return world.putAccessKey();
  const { state, now } = world.clouds;
  const { arn: roleArn } = SAMPLE.managedRole;
  const session = mintSession(state, { roleArn, sessionName: 'lent', lifeSeconds: 3_600, now: now() });
  await world.cluster.create(
    'secrets',
    { ...buildManagedRoleTokenSecret({ session }), metadata: { name } },
    'kube-system',
  );
}

function rowsOfKey(name: string, tokenMode: 'auto' | 'managedRole'): readonly RightRow[] {
  return [
    {
      right: `list secrets ${name} in kube-system`,
      state: 'a registry is served with the key that is there',
      before: async (run) => {
        await configureCloud(run, tokenMode);
        await putKey(run, name);
      },
      again: (run) => run.restart(),
      holds: servedByCloud,
    },
    {
      right: `watch secrets ${name} in kube-system`,
      state: 'a registry is served as soon as the key is there',
      before: (run) => configureCloud(run, tokenMode),
      act: (run) => putKey(run, name),
      holds: servedByCloud,
    },
  ];
}

/** What is there once in a cluster. */
export const NAMESPACED_ROWS_IN_TURN: readonly RightRow[] = [
  ...rowsOfKey(ALIBABA_KEY_SECRETS.addon, 'auto'),
  ...ALIBABA_KEY_SECRETS.managedRole.flatMap((name) => rowsOfKey(name, 'managedRole')),
  {
    right: 'create events in default',
    state: 'an Event says what is wrong with a resource',
    before: (run) => putWrong(run, 'https://registry.example.com/v2'),
    again: async (run) => {
      await run.world.cluster.remove('imagepullsecrets', run.instance);
      await putWrong(run, 'https://registry.example.com/v1');
    },
    holds: async (run) =>
      (await told(run, 'default', 'SpecInvalid')).some(({ involvedObject }) => involvedObject.name === run.instance),
  },
];

async function putWrong({ world, instance, tenant }: Run, server: string): Promise<void> {
  const docker = { server, username: 'somebody', password: 'fake-password-of-a-resource' };
  await world.cluster.create('imagepullsecrets', resource(instance, { namespaces: tenant, docker }));
}

/** Nothing of a row is to be seen by the next. */
export async function removeKeys({ world }: Pick<Run, 'world'>): Promise<void> {
  await world.clouds.metadata.up();
  for (const name of [ALIBABA_KEY_SECRETS.addon, ...ALIBABA_KEY_SECRETS.managedRole])
    await world.cluster.remove('secrets', name, 'kube-system');
}
