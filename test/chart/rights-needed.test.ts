// The rights of the chart, each with what it is for: without any one of them the program is refused, says so at its start, and
// something that a person would notice does not come about. So there is none too many; that there is none too few is what the
// integration tests show, which run with docs/rbac.yaml.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { VENDOR_HELPER } from '../../src/core/names.ts';
import { createLimiter } from '../../src/kube/limiter.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { applyCrd } from '../support/image-pull-secrets.ts';
import { kubectlOf, type Kubectl } from '../support/kubectl.ts';
import { grantedRights } from '../support/granted-rights.ts';
import { PROGRAM_GROUPS, PROGRAM_USER, startWorld, type World } from '../support/world.ts';
import { CHART, createHelm, manifestsOf, type Helm, type Manifest } from './helm.ts';
import { isOfRbac, nameOfRight, rightsOf, type Right } from './single-rights.ts';
import { withoutHooks } from './rendered.ts';
import { removeResources, RESOURCE_ROWS } from './rights-rows-of-resources.ts';
import { VALUES_ROWS } from './rights-rows-of-values.ts';
import { WEBHOOK_ROWS } from './rights-rows-of-webhooks.ts';
import { DELIVERY_ROWS, HOME_ROWS, removeVendor, VENDOR_ROWS } from './rights-rows.ts';
import { giveRights, pathOf, RENDERED, runWithout, type Ground, type RightRow } from './rights-world.ts';

const BUILD_MS = 900_000;
/** Programs that run side by side: they mostly wait. */
const AT_ONCE = 4;
const HOME = `home-${RENDERED}`;
const APART = [...DELIVERY_ROWS, ...HOME_ROWS, ...VALUES_ROWS, ...WEBHOOK_ROWS];
/** What they are about is there once in a cluster. */
const IN_TURN = [...VENDOR_ROWS, ...RESOURCE_ROWS];

/** What the chart gives only where it is asked for. */
const ALL_RIGHTS = { rrsa: { tokenServiceAccount: `${VENDOR_HELPER.namespace}/${VENDOR_HELPER.name}` } };

jest.setTimeout(240_000);

let helm: Helm;
let world: World;
let kubectl: Kubectl;
let manifests: readonly Manifest[];
beforeAll(async () => {
  helm = await createHelm();
  const values = await helm.values({ instance: RENDERED, ...ALL_RIGHTS });
  const text = await helm.succeed(['template', RENDERED, CHART, `--namespace=${HOME}`, ...values]);
  // Hooks have rights only while they run.
  manifests = withoutHooks(manifestsOf(text));
  world = await startWorld({ rights: 'none' });
  kubectl = await kubectlOf(world.plane);
  const { keys } = (await world.plane.request({ path: '/openid/v1/jwks' })).body as { keys: never[] };
  world.clouds.state.oidcProviders.set(SAMPLE.oidcProvider.arn, { ...SAMPLE.oidcProvider, keys });
}, BUILD_MS);
afterAll(async () => {
  await world.stop();
  await helm.remove();
});

const rights = (): ReadonlyMap<string, Right> =>
  new Map(rightsOf(manifests).map((right) => [nameOfRight(right, HOME), right]));

test('each has a row in these tables, and each row is about one of them', () => {
  const rows = [...APART, ...IN_TURN].map(({ right }) => right);
  expect(rows.toSorted()).toEqual([...rights().keys()].toSorted());
});

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

const withoutTheRight = async (row: RightRow, instance: string): Promise<void> => {
  const right = rights().get(row.right);
  if (right === undefined) throw new Error(`The chart renders no right to ${row.right}`);
  const ground: Ground = { world, kubectl, manifests };
  await runWithout(ground, { row, right, instance });
};

describe('without the right to', () => {
  const runs = new Map<RightRow, Promise<void>>();
  beforeAll(() => {
    const limiter = createLimiter(AT_ONCE);
    for (const [index, row] of APART.entries()) {
      const run = limiter.run('normal', () => withoutTheRight(row, `r${index}`));
      // Each is looked at by its own test.
      run.catch(() => undefined);
      runs.set(row, run);
    }
  });

  test.each(APART.map((row) => [row.right, row.state, row] as const))(
    '%s it does not come about that %s',
    async (_, __, row) => {
      await runs.get(row);
    },
  );
});

describe('without the right, in turn, to', () => {
  beforeAll(() => applyCrd(kubectl));

  test.each(IN_TURN.map((row, index) => [row.right, row.state, row, index] as const))(
    '%s it does not come about that %s',
    async (_, __, row, index) => {
      try {
        await withoutTheRight(row, `c${index}`);
      } finally {
        await removeVendor({ world });
        await removeResources({ world });
      }
    },
  );
});
