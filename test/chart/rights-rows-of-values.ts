// What the rights are for with which the configuration is kept from the values of the chart.
import { eventually } from '../support/eventually.ts';
import { CONFIG_MAP, type RightRow, type Run } from './rights-world.ts';

const REGISTRIES = { 'registry-info': '[]' };
const configuration = async ({ world, home }: Run) => (await world.cluster.get('configmaps', CONFIG_MAP, home))?.data;
const whenMade = (run: Run) => eventually('the configuration is made', () => configuration(run));

/** There is nothing but what the chart renders. */
async function onlyValues(run: Run): Promise<void> {
  const { cluster } = run.world;
  await cluster.remove('configmaps', CONFIG_MAP, run.home);
  await cluster.create('configmaps', { metadata: { name: run.valuesName }, data: REGISTRIES }, run.home);
}

/** Of the ConfigMap that people edit. */
export const VALUES_ROWS: readonly RightRow[] = [
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
    act: async (run) => {
      await whenMade(run);
      const data = { 'watch-namespace': 'elsewhere' };
      await run.world.cluster.patch('configmaps', run.valuesName, { data }, run.home);
    },
    holds: async (run) => (await configuration(run))?.['watch-namespace'] === 'elsewhere',
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
