// First chapter: a cluster with one node, a cloud, a private registry, and what happens there without the program.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createCertificateAuthority } from '../../test/support/clouds/certificates.ts';
import { SAMPLE, startClouds } from '../../test/support/clouds/clouds.ts';
import { clusterOf } from '../../test/support/cluster.ts';
import { startControlPlane } from '../../test/support/control-plane/control-plane.ts';
import { pushImage } from '../../test/support/control-plane/oci.ts';
import { startRegistry } from '../../test/support/control-plane/registry.ts';
import { readToolBuild, type ToolName } from '../../test/support/control-plane/tool-table.ts';
import { findTools } from '../../test/support/control-plane/tools.ts';
import { ADDRESSES } from '../../test/e2e/addresses.ts';
import { buildWaitingImage, writeArchive } from '../../test/e2e/images.ts';
import { NODE_USERS, PAUSE_IMAGE, startNode } from '../../test/e2e/node.ts';
import { succeed } from '../../test/e2e/run-program.ts';
import { expectThat } from '../demo-story/scene.ts';
import type { Steps } from '../demo-story/steps.ts';
import { APP, installApp, untilPullRefused } from './pods.ts';
import { createCommand, INSTANCE, KEY_SECRET, PROGRAM_REPOSITORY, REPOSITORY, TAGS } from './world.ts';
import { SHORT_LIFE_MS, SYSTEM, type NodeWorld } from './world.ts';

/** Starts everything but the program. `programArchive` is its image, whose name in it does not matter. */
export async function tellBeginning(
  steps: Steps,
  { folder, programArchive }: { readonly folder: string; readonly programArchive: string },
): Promise<NodeWorld> {
  const tools = await findTools(['kubectl', 'helm3', 'helm4', 'kubelet', 'kube-proxy', 'kube-scheduler']);
  const plane = await steps.run({ name: 'control-plane', title: 'A Kubernetes control plane is up' }, async (tell) => {
    const started = await startControlPlane({
      audit: true,
      controllerManager: true,
      users: NODE_USERS,
    });
    tell.say(`${version('etcd')}, ${version('kube-apiserver')}, kube-controller-manager; RBAC is on`);
    return started;
  });
  const cluster = clusterOf(plane);
  const authority = await createCertificateAuthority(folder);

  const node = await steps.run({ name: 'node', title: 'A node is ready' }, async (tell) => {
    const pause = await buildWaitingImage(PAUSE_IMAGE);
    const started = await startNode({
      plane,
      tools,
      folder,
      pauseArchive: await writeArchive(folder, PAUSE_IMAGE, pause),
      registryCa: authority.certFile,
    });
    const [, , containerd = ''] = (await succeed('containerd', ['--version'])).split(' ');
    tell.say(`${version('kubelet')}, kube-proxy, kube-scheduler, containerd ${containerd}`);
    return started;
  });

  await steps.run({ name: 'image', title: 'The image of the program is on the node' }, async (tell) => {
    const before = new Set(await node.images());
    await node.loadImage(programArchive);
    const [loaded] = (await node.images()).filter((name) => !before.has(name) && !name.startsWith('sha256:'));
    expectThat(loaded !== undefined, 'the archive names its image', 'it does not');
    for (const tag of PROGRAM_TAGS) await node.tagImage(loaded, `${PROGRAM_REPOSITORY}:${tag}`);
    tell.say(`${loaded}, as ${PROGRAM_REPOSITORY} with the tags ${PROGRAM_TAGS.join(' and ')}`);
  });

  const { clouds, registry } = await steps.run(
    { name: 'registry', title: 'A cloud and a private registry are up' },
    async (tell) => {
      const started = await startClouds({ instances: [INSTANCE], tokenLifeMs: SHORT_LIFE_MS });
      const { certFile } = await authority.issue('registry', [ADDRESSES.registryName, '127.0.0.1']);
      const registryUp = await startRegistry({
        port: 443,
        tls: { certFile, keyFile: path.join(folder, 'registry.key') },
        auth: started.endpoints().registryAuth,
      });
      const { username, password } = SAMPLE.user;
      const login = { username, password };
      for (const tag of TAGS) {
        const of = { registryUrl: registryUp.url, ca: authority.cert, plainTokens: true };
        const access = { ...of, login, repository: REPOSITORY, tag };
        const pushed = await pushImage(access, await buildWaitingImage(tag));
        expectThat(pushed.ok, 'the registry takes the image', JSON.stringify(pushed));
      }
      tell.say(
        `cloud (simulated): Alibaba's cr API with ${INSTANCE.instanceId}; its tokens live ${SHORT_LIFE_MS / 1000} s`,
      );
      tell.say(`registry (real): distribution ${readToolBuild('registry').version}, takes only tokens of that cloud`);
      tell.say(`${ADDRESSES.registryName}/${REPOSITORY} with the tags ${TAGS.join(', ')}`);
      return { clouds: started, registry: registryUp };
    },
  );

  const home = path.join(folder, 'home');
  await mkdir(home);
  const command = (file: string) => createCommand(file, { home, kubeconfig: plane.adminKubeconfig });
  const world: NodeWorld = {
    ...{ folder, plane, cluster, node, clouds, registry, registryCa: authority.cert },
    kubectl: command(tools.kubectl),
    helm: { helm3: command(tools.helm3), helm4: command(tools.helm4) },
  };
  await steps.run({ name: 'without', title: 'Without the program, the Pod does not run' }, async (tell) => {
    await installApp(world, { namespace: 'unserved' });
    const message = await untilPullRefused(world, 'unserved');
    expectThat(message.includes('401 Unauthorized'), 'the token server answers 401 Unauthorized', message);
    tell.say('ErrImagePull: 401 Unauthorized');
  });
  await populate(world);
  return world;
}

/** Tags under which the program's image is on the node: today's, and one for the release before. */
export const PROGRAM_TAGS = ['today', 'before'] as const;

async function populate({ cluster }: NodeWorld): Promise<void> {
  const { accessKeyId, accessKeySecret } = SAMPLE.accessKey;
  const stringData = { 'access-key-id': accessKeyId, 'access-key-secret': accessKeySecret };
  await cluster.namespace(SYSTEM);
  // Somebody is always served already.
  await cluster.namespace('team-old');
  await cluster.serviceAccount('team-old', APP);
  await cluster.create('secrets', { metadata: { name: KEY_SECRET }, stringData }, SYSTEM);
}

function version(name: ToolName): string {
  return `${name} ${readToolBuild(name).version}`;
}
