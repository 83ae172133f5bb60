// What the rights are for with which the configuration is kept from the values of the chart.
import { eventually } from '../support/eventually.ts';
import { CONFIG_MAP, RENDERED, type RightRow, type Run } from './rights-world.ts';

const VALUES_NAME = `${RENDERED}-registry-credential-helper-values`;
const REGISTRIES = { 'registry-info': '[]' };
const configuration = async ({ world, home }: Run) => (await world.cluster.get('configmaps', CONFIG_MAP, home))?.data;
const whenMade = (run: Run) => eventually('the configuration is made', () => configuration(run));

/** There is nothing but what the chart renders. */
async function onlyValues(run: Run): Promise<void> {
  const { cluster } = run.world;
  await cluster.remove('configmaps', CONFIG_MAP, run.home);
  await cluster.create('configmaps', { metadata: { name: run.valuesName }, data: REGISTRIES }, run.home);
}

async function changeValues(run: Run): Promise<void> {
  await whenMade(run);
  const data = { 'watch-namespace': 'elsewhere' };
  await run.world.cluster.patch('configmaps', run.valuesName, { data }, run.home);
}

const isFollowed = async (run: Run): Promise<boolean> =>
  (await configuration(run))?.['watch-namespace'] === 'elsewhere';

/** Of the ConfigMap that people edit, and of that of the values. */
export const VALUES_ROWS: readonly RightRow[] = [
  {
    right: `list configmaps ${VALUES_NAME} in its own namespace`,
    state: 'the configuration is made from the values',
    before: onlyValues,
    holds: async (run) => (await configuration(run)) !== undefined,
  },
  {
    right: `watch configmaps ${VALUES_NAME} in its own namespace`,
    state: 'the configuration follows the values',
    before: onlyValues,
    act: changeValues,
    holds: isFollowed,
  },
  {
    right: 'create configmaps in its own namespace',
    state: 'the configuration is made from the values',
    before: onlyValues,
    holds: async (run) => (await configuration(run)) !== undefined,
  },
  {
    right: 'patch configmaps in its own namespace',
    state: 'the configuration follows the values',
    before: onlyValues,
    act: changeValues,
    holds: isFollowed,
  },
  {
    right: 'delete configmaps in its own namespace',
    state: 'the configuration that nobody edited goes with cleanup',
    before: onlyValues,
    act: whenMade,
    holds: async (run) => (await configuration(run)) === undefined,
    byCleanup: true,
  },
];
