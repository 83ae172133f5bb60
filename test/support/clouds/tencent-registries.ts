// The registries of the simulated Tencent Cloud (tcr.md sections 16 and 17): which one has a name, what it challenges with, and
// who may pull or push what there, and until when.
//
// Images are not here: a real registry serves them, one process for each registry of the cloud. A test starts it with what
// `registryAuth` says of the registry's name, and pulls with what the API minted:
//
//   const auth = clouds.tencent.registryAuth('acme-sample.tencentcloudcr.com');
//   const registry = await startRegistry({ auth });
//   const { Username, Token } = await callTencent(…CreateInstanceToken…);
//   await pullImage({ registryUrl: registry.url, repository: 'team/app', tag: 'v1', login: { username, password } });
//
// The token endpoint knows by the Host that asks which registry is meant; under a bare loopback name, as in the realm above, the
// path begins with the registry's host. The realm is plain HTTP; `registryChallenge` serves the same page over TLS.

import { timingSafeEqual } from 'node:crypto';
import type { SignedRequest } from './acs3.ts';
import type { Grant, RepositoryAction, TokenRequest } from './registry-auth.ts';
import { buildAccess } from './registry-auth.ts';
import { buildResource, findPolicy, isAllowed } from './tencent-cam.ts';
import { verifyInstanceToken } from './tencent-instance-tokens.ts';
import type { Robot, TencentInstance, TencentState } from './tencent-state.ts';
import { findInstanceByHost } from './tencent-tcr-instances.ts';

/** The page of every registry's token endpoint. */
export const TOKEN_PATH = '/service/token';

/** Hosts of the Personal Edition: mainland regions and Hong Kong. */
export const CCR_HOSTS: readonly string[] = ['ccr.ccs.tencentyun.com', 'hkccr.ccs.tencentyun.com'];

/** A registry that has a name: an instance, or the Personal Edition. */
export type TencentRegistry = { readonly instance: TencentInstance } | { readonly personal: true };

/** Finds the registry behind a host, with or without a port; `undefined`: nobody has that name. */
export function findTencentRegistry(state: TencentState, host: string): TencentRegistry | undefined {
  const name = host.toLowerCase();
  const bare = name.replace(/:\d+$/, '');
  if (CCR_HOSTS.includes(bare)) return { personal: true };
  const instance = findInstanceByHost(state, name) ?? findInstanceByHost(state, bare);
  return instance && { instance };
}

/** Every name that leads to a registry now. */
export function listRegistryHosts(state: TencentState): readonly string[] {
  const names = [...state.instances.values()].flatMap(({ registryName, customDomains = [] }) => [
    ...[registryName, `${registryName}-vpc`].map((label) => `${label}.tencentcloudcr.com`),
    ...customDomains.map(({ domain }) => domain),
  ]);
  return [...names, ...CCR_HOSTS].filter((host) => findTencentRegistry(state, host) !== undefined);
}

/** The `service` of a registry's challenge. */
export function buildTencentService(registry: TencentRegistry): string {
  return 'personal' in registry ? 'token-service' : 'harbor-registry';
}

/** The registry whose token a request asks for, by the Host or by what stands before the page; `undefined`: no such page. */
export function readRegistryHost({ path, headers }: SignedRequest): string | undefined {
  if (path === TOKEN_PATH) return headers.host ?? '';
  return path.endsWith(TOKEN_PATH) ? decodeURIComponent(path.slice(1, -TOKEN_PATH.length)) : undefined;
}

/**
 * Decides on a token request; `undefined` means 401. An instance takes a token of its own under the UIN that made it, and grants
 * what CAM allows that UIN (section 15); and a robot with its password, which grants what its permissions say. The Personal
 * Edition takes an account's fixed password. There is no anonymous pull.
 */
export function authorizeTencent(
  request: TokenRequest,
  { state, now }: { state: TencentState; now: number },
): Grant | undefined {
  const { registry: host = '', username, password, service, scopes } = request;
  const registry = findTencentRegistry(state, host);
  if (registry === undefined || username === undefined || password === undefined) return undefined;
  if (service !== buildTencentService(registry)) return undefined;
  const caller = { username, password, scopes, state, now };
  if ('personal' in registry) return authorizePersonal(caller);
  const { instance } = registry;
  return username.startsWith('tcr$') ? authorizeRobot(caller, instance) : authorizeUin(caller, instance);
}

interface Caller {
  readonly username: string;
  readonly password: string;
  readonly scopes: readonly string[];
  readonly state: TencentState;
  readonly now: number;
}

function authorizePersonal({ username, password, scopes, state }: Caller): Grant | undefined {
  const wanted = state.personalPasswords.get(username);
  if (wanted === undefined || !isEqual(password, wanted)) return undefined;
  return { access: buildAccess(scopes, () => ['pull', 'push']), expiresAt: undefined };
}

function authorizeUin(
  { username, password, scopes, state, now }: Caller,
  instance: TencentInstance,
): Grant | undefined {
  const claims = verifyInstanceToken(state, { instance, token: password, now });
  if (claims?.operatorUin !== username || claims.ownerUin !== instance.ownerUin) return undefined;
  const policy = findPolicy(state, claims.operatorUin) ?? [];
  const grantedOn = (repository: string): readonly RepositoryAction[] => {
    const rest = `repository/${instance.registryId}/${repository}`;
    const resource = buildResource(rest, { region: instance.regionName, ownerUin: instance.ownerUin });
    return ACTIONS.flatMap(([action, cam]) => (isAllowed(policy, cam, resource) ? [action] : []));
  };
  return { access: buildAccess(scopes, grantedOn), expiresAt: claims.exp * 1000 };
}

function authorizeRobot(
  { username, password, scopes, state, now }: Caller,
  instance: TencentInstance,
): Grant | undefined {
  const robot = state.robots.get(buildRobotKey(instance.registryId, username));
  if (robot === undefined || !isEqual(password, robot.password) || robot.disabled) return undefined;
  if (now >= (robot.expiresAt ?? Number.POSITIVE_INFINITY)) return undefined;
  return { access: buildAccess(scopes, (repository) => grantedTo(robot, repository)), expiresAt: robot.expiresAt };
}

/** The key of a robot in the state; `name` with its `tcr$`. */
export function buildRobotKey(registryId: string, name: string): string {
  return `${registryId} ${name}`;
}

function grantedTo({ permissions }: Robot, repository: string): readonly RepositoryAction[] {
  const held = permissions.filter(({ resource }) => repository.startsWith(`${resource}/`));
  return ACTIONS.flatMap(([action, cam]) => (held.some(({ actions }) => actions.includes(cam)) ? [action] : []));
}

const ACTIONS: readonly (readonly [RepositoryAction, string])[] = [
  ['pull', 'tcr:PullRepository'],
  ['push', 'tcr:PushRepository'],
];

function isEqual(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
