// A world in which it shows as whom a token was obtained, and that it pulls: real registries that trust the simulated cloud, and
// an OIDC provider there that knows the keys of the API server.
import { expect } from '@jest/globals';
import { buildRegistryService, type MintedToken } from './clouds/alibaba-state.ts';
import { SAMPLE } from './clouds/clouds.ts';
import { pullImage, pushImage } from './control-plane/oci.ts';
import { startRegistry, type Registry } from './control-plane/registry.ts';
import { eventually } from './eventually.ts';
import { ACR_SECRET } from './expectations.ts';
import { configMapEvents } from './signs.ts';
import { startWorld, type Replica, type World } from './world.ts';

const { instance, otherInstance, oidcProvider } = SAMPLE;
/** A host of the first account's instance. */
export const HOST = 'acme-registry.cn-hangzhou.cr.aliyuncs.com';
/** A host of the other account's instance. */
export const OTHER_HOST = 'globex-registry.cn-hangzhou.cr.aliyuncs.com';
/** A host of the Personal Edition. */
export const PERSONAL_HOST = 'registry.cn-hangzhou.aliyuncs.com';
/** An instance of the first account in another region than the node's, and a host of it. */
const farInstance = {
  ...instance,
  ...{ instanceId: 'cri-sample0000000003', instanceName: 'acme-far', regionId: 'ap-southeast-1' },
};
export const FAR_HOST = 'acme-far-registry.ap-southeast-1.cr.aliyuncs.com';
/** Begin items for the instances; fields follow. */
export const FIRST = `- instanceId: ${instance.instanceId}\n`;
export const OTHER = `- instanceId: ${otherInstance.instanceId}\n`;
export const FAR = `- instanceId: ${farInstance.instanceId}\n`;

const IMAGE = { repository: 'team/app', tag: 'v1' };

/** The world, with the namespace `team-a` in scope; the test starts the program. */
export interface IdentityWorld {
  readonly world: World;
  /** Configures these items of `acr-registry-info`. */
  configure(items: string, more?: Readonly<Record<string, string>>): Promise<void>;
  /** What the cloud remembers of the token that the Secret holds for `host`. */
  minted(host: string): Promise<MintedToken | undefined>;
  /** Waits until the Secret holds a token that `principal` obtained after the last `configure`, and pulls with it. */
  servedAs(principal: string, host: string): Promise<MintedToken>;
  /** Waits for a failure that is told with this text, and returns it. */
  failureSaying(text: RegExp): Promise<string>;
  /** Puts back the roles of the sample, and how long sessions last. */
  resetCloud(): void;
  /** What of all keys, sessions and tokens so far the program has printed: must be nothing. */
  printedSecrets(replica: Replica): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Starts control plane, clouds, and a registry for each of the hosts. */
export async function startIdentityWorld(): Promise<IdentityWorld> {
  const world = await startWorld({ clouds: { instances: [instance, otherInstance, farInstance] } });
  const cleanups: (() => Promise<unknown>)[] = [() => world.stop()];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const { state } = world.clouds;
    const { body } = await world.plane.request({ path: '/openid/v1/jwks' });
    const { keys } = body as { keys: never[] };
    state.oidcProviders.set(oidcProvider.arn, { ...oidcProvider, keys });
    const registries = await startRegistries(world, cleanups);
    await world.cluster.namespace('team-a');
    await world.cluster.serviceAccount('team-a', 'default');
    await world.configure({ 'watch-namespace': 'team-a', 'registry-info': '[]' });

    let before = new Set<string>();
    const auths = async () => (await world.cluster.auths('team-a', ACR_SECRET)) ?? {};
    const minted = async (host: string) => state.tokens.get((await auths())[host]?.password ?? '');
    return {
      world,
      minted,
      stop,
      async configure(items, more = {}) {
        before = new Set(Object.values(await auths()).map(({ password }) => password));
        await world.configure({ 'watch-namespace': 'team-a', 'acr-registry-info': items, ...more });
      },
      async servedAs(principal, host) {
        const token = await eventually(`${host} is served as ${principal}`, async () => {
          const found = await minted(host);
          return found !== undefined && !before.has(found.token) && principalOf(world, found) === principal && found;
        });
        const registryUrl = registries[host]?.url ?? '';
        const login = { username: token.username, password: token.token };
        expect(await pullImage({ registryUrl, ...IMAGE, login })).toMatchObject({ ok: true });
        return token;
      },
      failureSaying: (text) =>
        eventually(`an Event says ${text.source}`, async () =>
          (await configMapEvents(world, 'CredentialUnavailable'))
            .map(({ message }) => message)
            .find((one) => text.test(one)),
        ),
      resetCloud() {
        state.sessionLifeCapMs = Infinity;
        for (const role of [SAMPLE.workerRole, SAMPLE.managedRole, SAMPLE.roleA, SAMPLE.roleB])
          state.roles.set(role.arn, role);
      },
      printedSecrets: (replica) => printedSecrets(world, replica),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startRegistries(
  { clouds }: World,
  cleanups: (() => Promise<unknown>)[],
): Promise<Readonly<Record<string, Registry>>> {
  const { realm, services, issuer, rootCertBundle } = clouds.endpoints().registryAuth;
  const start = async (service: string): Promise<Registry> => {
    const registry = await startRegistry({ auth: { realm, service, issuer, rootCertBundle } });
    cleanups.push(() => registry.stop());
    const { username, password } = SAMPLE.user;
    const pushed = await pushImage({ registryUrl: registry.url, ...IMAGE, login: { username, password } });
    expect(pushed).toMatchObject({ ok: true });
    return registry;
  };
  return {
    [HOST]: await start(services[instance.instanceId] ?? ''),
    [OTHER_HOST]: await start(services[otherInstance.instanceId] ?? ''),
    [FAR_HOST]: await start(services[farInstance.instanceId] ?? ''),
    [PERSONAL_HOST]: await start(buildRegistryService({ regionId: 'cn-hangzhou' })),
  };
}

function principalOf({ clouds }: World, token: MintedToken): string {
  const key = clouds.state.accessKeys.get(token.accessKeyId);
  return key?.roleArn ?? key?.userName ?? token.accessKeyId;
}

async function printedSecrets(world: World, replica: Replica): Promise<readonly string[]> {
  const { accessKeys, tokens } = world.clouds.state;
  const secrets = [...accessKeys.values()].flatMap((key) => [
    key.accessKeySecret,
    key.securityToken ?? key.accessKeySecret,
  ]);
  const told = [
    await replica.output(),
    JSON.stringify(await configMapEvents(world)),
    (await replica.http('/metrics'))?.text ?? '',
    (await replica.http('/readyz?verbose'))?.text ?? '',
  ];
  // Tokens of ServiceAccounts: the beginning of every JWT.
  return [...secrets, ...tokens.keys(), 'eyJhbGciOi'].filter((secret) => told.some((text) => text.includes(secret)));
}
