// First chapter: a cluster, a cloud and a registry with a private image, as they were before the program came.
import { SAMPLE } from '../../test/support/clouds/clouds.ts';
import { pushImage, type ImageResult } from '../../test/support/control-plane/oci.ts';
import { readToolBuild, type ToolName } from '../../test/support/control-plane/tool-table.ts';
import { describePull, expectThat, IMAGE, INSTANCE, startBackstage, startCloudsAndRegistry } from './scene.ts';
import type { Setting } from './scene.ts';
import type { Stage } from './stage.ts';
import type { Steps } from './steps.ts';

/** Starts everything but the program; also returns the pushed image. */
export async function tellPreparation(
  steps: Steps,
  stage: Stage,
): Promise<{ readonly setting: Setting; readonly pushed: ImageResult & { ok: true } }> {
  const backstage = await steps.run(
    { name: 'control-plane', title: 'A Kubernetes control plane is up' },
    async (tell) => {
      const started = await startBackstage(stage, tell);
      tell.say(`${version('etcd')}, ${version('kube-apiserver')}, kube-controller-manager; RBAC is on`);
      return started;
    },
  );

  const setting = await steps.run({ name: 'clouds', title: 'A cloud and a registry are up' }, async (tell) => {
    const started = await startCloudsAndRegistry(backstage);
    tell.say(`cloud (simulated): Alibaba's cr API with ${INSTANCE.instanceId}; verifies the signature of every call`);
    tell.say(`registry (real): distribution ${readToolBuild('registry').version} on ${started.registry.host},`);
    tell.say('which the cloud lists as a domain of the instance; it takes only tokens of that cloud');
    return started;
  });

  const pushed = await steps.run({ name: 'push', title: 'A private image is pushed' }, async (tell) => {
    const { username, password } = SAMPLE.user;
    const result = await pushImage({ registryUrl: setting.registry.url, login: { username, password }, ...IMAGE });
    expectThat(result.ok, 'the registry takes the image', describePull(result));
    tell.say(`${setting.registry.host}/${IMAGE.repository}:${IMAGE.tag}, ${result.manifestDigest.slice(0, 19)}…`);
    return result;
  });

  await steps.run({ name: 'teams', title: 'Namespaces as teams have them' }, async (tell) => {
    await populate(setting);
    tell.say('shop, team-red, team-blue; and sandbox, which shall not be served');
    tell.say('the ServiceAccount shop/builder already pulls with two Secrets that are none of ours');
  });
  return { setting, pushed };
}

/** Namespaces and ServiceAccounts with what other people have written. */
async function populate({ cluster }: Setting): Promise<void> {
  const auths = { 'harbor.acme.example': { username: 'robot', password: 'sample', auth: 'cm9ib3Q6c2FtcGxl' } };
  for (const name of ['shop', 'team-red', 'team-blue', 'sandbox']) {
    await cluster.namespace(name);
    await cluster.create(
      'secrets',
      {
        metadata: { name: 'harbor-login' },
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
      },
      name,
    );
  }
  await cluster.serviceAccount('shop', 'builder', ['harbor-login', 'old-mirror']);
  await cluster.serviceAccount('team-blue', 'builder', ['harbor-login']);
}

function version(name: ToolName): string {
  return `${name} ${readToolBuild(name).version}`;
}
