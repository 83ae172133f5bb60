// Third chapter: releases come and go, by both majors of Helm, and what stays or goes with them.
import { expectThat } from '../demo-story/scene.ts';
import type { Steps } from '../demo-story/steps.ts';
import { hasHostsLine, HOSTS_VALUES, untilHostsClean } from './hosts.ts';
import { APP, installApp, readLogin, untilRunning } from './pods.ts';
import { buildValues, findReleasedChart, readConfiguration, readRunningImage, release, rollBack } from './release.ts';
import { runHelmTest, uninstall, untilServing, type Values } from './release.ts';
import { PROGRAM_REPOSITORY, reach, SECRET, SHORT_LIFE_MS, type NodeWorld } from './world.ts';

const OLD_IMAGE = { repository: PROGRAM_REPOSITORY, tag: 'before', pullPolicy: 'Never' } as const;
const SERVED = ['shop', 'late', 'team-red', 'team-blue'] as const;

/** Everything about releases by Helm 4. */
export async function tellReleases(steps: Steps, world: NodeWorld): Promise<void> {
  await steps.run({ name: 'uninstall', title: 'helm uninstall leaves what Pods pull with' }, async (tell) => {
    tell.wait('waiting for a token that lives longer than this step');
    const held = await reach({
      expected: 'a token of the usual life in shop',
      look: () => readLogin(world, 'shop'),
      holds: (login) => lifeOf(world, login?.password) > SHORT_LIFE_MS,
      describe: (login) => `one of ${lifeOf(world, login?.password)} ms`,
    });
    const hadHosts = await hasHostsLine();
    await uninstall(world, 'helm4');
    for (const namespace of SERVED) {
      const references = await world.cluster.references(namespace, APP);
      expectThat(references.includes(SECRET), `${namespace}/${APP} keeps its reference`, references.join(', '));
    }
    const left = await readLogin(world, 'shop');
    expectThat(left?.password === held?.password, 'the Secret in shop stays as it is', 'it changed');
    expectThat((await hasHostsLine()) === hadHosts, 'the node’s hosts file stays as it is', 'it changed');
    tell.say('Secrets and references stay; Pods, rights and webhooks of the program are gone');
  });

  const released = findReleasedChart();
  await steps.run({ name: 'upgrade', title: 'helm upgrade from the release before, and rollback' }, async (tell) => {
    const values = buildValues(world);
    await release(world, 'install', {
      helm: 'helm4',
      values: { ...values, image: OLD_IMAGE },
      ...(released === undefined ? {} : { chart: released }),
    });
    await untilServing(world);
    const edited = await readConfiguration(world);
    expectThat(
      edited?.['watch-namespace'] === 'shop, team-*, late',
      'the edited configuration outlives the release',
      JSON.stringify(edited),
    );
    await release(world, 'upgrade', { helm: 'helm4', values });
    const [upgraded, kept] = [await readRunningImage(world), await readConfiguration(world)];
    expectThat(upgraded.endsWith(':today'), 'the new image runs', upgraded);
    expectThat(
      kept?.['watch-namespace'] === edited['watch-namespace'],
      'the edit by hand outlives the upgrade',
      JSON.stringify(kept),
    );
    await rollBack(world, 'helm4', 1);
    const back = await readRunningImage(world);
    expectThat(back.endsWith(':before'), 'the old image runs again', back);
    await release(world, 'upgrade', { helm: 'helm4', values: withCleanup(values) });
    await untilServing(world);
    await installApp(world, { namespace: 'team-green', pullPolicy: 'Always' });
    await untilRunning(world, 'team-green');
    const from = released ?? 'this chart with an older image (no release is kept yet)';
    tell.say(`from ${from.split('/').at(-1) ?? from}; rolled back, upgraded again; a new namespace is served`);
    tell.say('the configuration that was edited by hand stayed as it was');
  });
  await tellCleanup(steps, world);
}

/** Install, upgrade and uninstall by Helm 3. */
export async function tellHelm3(steps: Steps, world: NodeWorld): Promise<void> {
  await steps.run({ name: 'helm3', title: 'Helm 3 installs, upgrades and uninstalls' }, async (tell) => {
    const values = buildValues(world);
    await release(world, 'install', { helm: 'helm3', values: { ...values, image: OLD_IMAGE } });
    await untilServing(world);
    await installApp(world, { namespace: 'team-gold', pullPolicy: 'Always' });
    await untilRunning(world, 'team-gold');
    await release(world, 'upgrade', { helm: 'helm3', values: withCleanup(values) });
    const image = await readRunningImage(world);
    expectThat(image.endsWith(':today'), 'the new image runs', image);
    tell.say(`helm test: ${(await runHelmTest(world, 'helm3')).length} checks passed`);
    await uninstall(world, 'helm3');
    await untilClean(world, [...SERVED, 'team-green', 'team-gold']);
    tell.say('a new namespace is served in between');
  });
}

async function tellCleanup(steps: Steps, world: NodeWorld): Promise<void> {
  await steps.run({ name: 'cleanup', title: 'helm uninstall with onUninstall: cleanup' }, async (tell) => {
    await uninstall(world, 'helm4');
    await untilClean(world, [...SERVED, 'team-green']);
    tell.say('no Secret and no reference is left in any namespace');
    await untilHostsClean();
    tell.say('the block is gone from the node’s hosts file');
  });
}

function withCleanup(values: Values): Values {
  return { ...values, ...HOSTS_VALUES, onUninstall: 'cleanup' };
}

/** Life of a token of the cloud, milliseconds; 0 = unknown. */
function lifeOf({ clouds }: NodeWorld, password = ''): number {
  const token = clouds.state.tokens.get(password);
  return token === undefined ? 0 : token.expiresAt - token.issuedAt;
}

async function untilClean(world: NodeWorld, namespaces: readonly string[]): Promise<void> {
  await reach({
    expected: 'no Secret and no reference of the program is left',
    look: async () => {
      const found: string[] = [];
      for (const namespace of namespaces) {
        if ((await world.cluster.get('secrets', SECRET, namespace)) !== undefined) found.push(`${namespace}/${SECRET}`);
        const references = await world.cluster.references(namespace, APP);
        if (references.includes(SECRET)) found.push(`reference of ${namespace}/${APP}`);
      }
      return found;
    },
    holds: (found) => found.length === 0,
  });
}
