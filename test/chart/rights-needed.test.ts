// The rights of the chart, each with what it is for: without any one of them the program is refused, says so at its start, and
// something that a person would notice does not come about. So there is none too many; that there is none too few is what the
// integration tests show, which run with docs/rbac.yaml. Those of hooks are shown with what the hooks run.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { VENDOR_HELPER } from '../../src/core/names.ts';
import { createLimiter } from '../../src/kube/limiter.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { applyCrd } from '../support/image-pull-secrets.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { grantedRights } from '../support/granted-rights.ts';
import { PROGRAM_GROUPS, PROGRAM_USER, startWorld, type World } from '../support/world.ts';
import { CHART, createHelm, manifestsOf, type Helm, type Manifest, type Values } from './helm.ts';
import { isOfRbac, nameOfRight, rightsOf, type Right } from './single-rights.ts';
import { withoutHooks } from './rendered.ts';
import { NAMESPACED_ROWS, NAMESPACED_ROWS_IN_TURN, removeKeys } from './rights-rows-in-namespaces.ts';
import { HOOK_ROWS, HOOK_ROWS_IN_NAMESPACES } from './rights-rows-of-hooks.ts';
import { removeResources, RESOURCE_ROWS } from './rights-rows-of-resources.ts';
import { VALUES_ROWS } from './rights-rows-of-values.ts';
import { WEBHOOK_ROWS } from './rights-rows-of-webhooks.ts';
import { ROWS_WITHOUT_WEBHOOK } from './rights-rows-without-webhook.ts';
import { DELIVERY_ROWS, HOME_ROWS, removeVendor, VENDOR_ROWS } from './rights-rows.ts';
import { giveRights, pathOf, runWithout } from './rights-without.ts';
import { RENDERED, type Ground, type RightRow } from './rights-world.ts';

const BUILD_MS = 900_000;
/** Programs that run side by side: they mostly wait. */
const AT_ONCE = 4;
const HOME = `home-${RENDERED}`;
const TENANT = `tenant-${RENDERED}`;
const HOSTS = `hosts-${RENDERED}`;
/** What they are called in the tables. */
const PLACES: ReadonlyMap<string, string> = new Map([
  [HOME, 'its own namespace'],
  [TENANT, 'a served namespace'],
  [HOSTS, 'the namespace of the hosts Pods'],
]);

/** What the chart gives only where it is asked for. */
const ALL_RIGHTS = { rrsa: { tokenServiceAccount: `${VENDOR_HELPER.namespace}/${VENDOR_HELPER.name}` } };

/** The rights of one way to install the chart, with a row for each; those of the tables before it are not shown again, unless told. */
interface Table {
  readonly way: string;
  readonly values: Values;
  /** Of the hooks, instead of those of the installation. */
  readonly ofHooks?: true;
  /** These are for something else there than in the tables before it. */
  readonly anew?: RegExp;
  readonly apart: readonly RightRow[];
  /** What they are about is there once in a cluster. */
  readonly inTurn: readonly RightRow[];
}

const HOOKS = { hosts: { enabled: true, namespace: HOSTS } };

const TABLES: readonly Table[] = [
  {
    way: 'by default',
    values: {},
    apart: [...DELIVERY_ROWS, ...HOME_ROWS, ...VALUES_ROWS, ...WEBHOOK_ROWS],
    inTurn: [...VENDOR_ROWS, ...RESOURCE_ROWS],
  },
  {
    way: 'with listed namespaces',
    values: { namespaces: [TENANT] },
    apart: NAMESPACED_ROWS,
    inTurn: NAMESPACED_ROWS_IN_TURN,
  },
  {
    way: 'with the webhook switched off',
    values: { webhook: { enabled: false } },
    anew: /webhookconfigurations|clusterroles/,
    apart: ROWS_WITHOUT_WEBHOOK,
    inTurn: [],
  },
  { way: 'for hooks', values: HOOKS, ofHooks: true, apart: HOOK_ROWS, inTurn: [] },
  {
    way: 'for hooks, with listed namespaces',
    values: { ...HOOKS, namespaces: [TENANT] },
    ofHooks: true,
    apart: HOOK_ROWS_IN_NAMESPACES,
    inTurn: [],
  },
];
const APART = TABLES.flatMap((table) => table.apart.map((row) => ({ row, table })));
const IN_TURN = TABLES.flatMap((table) => table.inTurn.map((row) => ({ row, table })));

jest.setTimeout(240_000);

let helm: Helm;
let world: World;
let kubectl: Kubectl;
const rendered = new Map<Table, Pick<Ground, 'manifests' | 'hooks'>>();
beforeAll(async () => {
  helm = await createHelm();
  for (const table of TABLES) {
    const values = await helm.values({ instance: RENDERED, onUninstall: 'cleanup', ...ALL_RIGHTS, ...table.values });
    const all = manifestsOf(await helm.succeed(['template', RENDERED, CHART, `--namespace=${HOME}`, ...values]));
    const manifests = withoutHooks(all);
    rendered.set(table, { manifests, hooks: all.filter((one) => !manifests.includes(one)) });
  }
  world = await startWorld({ rights: 'none' });
  kubectl = await kubectlOf(world.plane);
  const { keys } = (await world.plane.request({ path: '/openid/v1/jwks' })).body as { keys: never[] };
  world.clouds.state.oidcProviders.set(SAMPLE.oidcProvider.arn, { ...SAMPLE.oidcProvider, keys });
}, BUILD_MS);
afterAll(async () => {
  await world.stop();
  await helm.remove();
});

const groundOf = (table: Table): Pick<Ground, 'manifests' | 'hooks'> =>
  rendered.get(table) ?? { manifests: [], hooks: [] };
const rightsIn = (table: Table): ReadonlyMap<string, Right> => {
  const { manifests, hooks } = groundOf(table);
  return new Map(rightsOf(table.ofHooks ? hooks : manifests).map((right) => [nameOfRight(right, PLACES), right]));
};

test.each(TABLES.map((table, index) => [table.way, table, index] as const))(
  'each %s has a row in these tables, and each row is about one of them',
  (_, table, index) => {
    const before = new Set(TABLES.slice(0, index).flatMap((one) => [...rightsIn(one).keys()]));
    const expected = [...rightsIn(table).keys()].filter((name) => !before.has(name) || table.anew?.test(name));
    expect([...table.apart, ...table.inTurn].map(({ right }) => right).toSorted()).toEqual(expected.toSorted());
  },
);

test('are, as the API server has them, those of docs/rbac.yaml, with which the integration tests run', async () => {
  const documented = manifestsOf(readFileSync('docs/rbac.yaml', 'utf8')).filter(isOfRbac);
  const rendered = withoutHooks(manifestsOf(await helm.render(ALL_RIGHTS))).filter(isOfRbac);
  const granted = async (objects: readonly Manifest[]): Promise<readonly string[]> => {
    await giveRights(world, objects);
    const found = await grantedRights(world.plane, PROGRAM_USER, PROGRAM_GROUPS);
    for (const object of objects) await world.plane.request({ method: 'DELETE', path: pathOf(object) });
    return found;
  };
  const nothing = await granted([]);
  const ofDocument = await granted(documented);
  expect(ofDocument.length).toBeGreaterThan(nothing.length);
  expect(await granted(rendered)).toEqual(ofDocument);
  expect(await granted([])).toEqual(nothing);
});

interface Case {
  readonly row: RightRow;
  readonly table: Table;
}

const withoutTheRight = async ({ row, table }: Case, instance: string): Promise<void> => {
  const right = rightsIn(table).get(row.right);
  if (right === undefined) throw new Error(`The chart renders no right to ${row.right}`);
  await runWithout({ world, kubectl, ...groundOf(table) }, { row, right, instance });
};
const titled = (cases: readonly Case[]) =>
  cases.map((one, index) => [one.table.way, one.row.right, one.row.state, one, index] as const);

describe('without the right', () => {
  const runs = new Map<Case, Promise<void>>();
  beforeAll(() => {
    const limiter = createLimiter(AT_ONCE);
    for (const [index, one] of APART.entries()) {
      const run = limiter.run('normal', () => withoutTheRight(one, `r${index}`));
      // Each is looked at by its own test.
      run.catch(() => undefined);
      runs.set(one, run);
    }
  });

  test.each(titled(APART))('%s to %s it does not come about that %s', async (_, __, ___, one) => {
    await runs.get(one);
  });
});

describe('without the right, in turn,', () => {
  beforeAll(() => applyCrd(kubectl));

  test.each(titled(IN_TURN))('%s to %s it does not come about that %s', async (_, __, ___, one, index) => {
    try {
      await withoutTheRight(one, `c${index}`);
    } finally {
      await removeVendor({ world });
      await removeResources({ world });
      await removeKeys({ world });
    }
  });
});
