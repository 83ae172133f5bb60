// The registries of the simulated Alibaba Cloud (acr.md sections 22 and 23): which one has a name, and who may pull or push what
// there, and until when. Images are not here; a real registry with the same `service` serves them.

import { findDenial } from './alibaba-sessions.ts';
import type { AlibabaState, RegistryId } from './alibaba-state.ts';
import { buildRegistryService } from './alibaba-state.ts';
import type { Grant, RegistryUser, TokenRequest } from './registry-auth.ts';
import { buildAccess } from './registry-auth.ts';

const PERSONAL_HOST = /^registry(?:-vpc|-internal|-intl|-intl-vpc)?\.([a-z0-9-]+)\.aliyuncs\.com$/;
const NEW_PERSONAL_HOST = /^crpi-[a-z0-9]+(?:-vpc)?\.([a-z0-9-]+)\.personal\.cr\.aliyuncs\.com$/;

/**
 * Finds the registry behind a Host header: an instance by its own names (public only where enabled, VPC only where linked)
 * or by a custom domain, or the Personal Edition of a region. `undefined`: nobody has that name.
 */
export function findRegistry(state: AlibabaState, host: string): RegistryId | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const regionId = (PERSONAL_HOST.exec(name) ?? NEW_PERSONAL_HOST.exec(name))?.[1];
  if (regionId !== undefined) return { regionId };
  return [...state.instances.values()].find((instance) => {
    const { instanceName, userDomains = [], internetEnabled = true, linkedVpcIds = [''] } = instance;
    const names = [
      ...(internetEnabled ? [`${instanceName}-registry`] : []),
      ...(linkedVpcIds.length > 0 ? [`${instanceName}-registry-vpc`] : []),
    ].map((label) => `${label}.${instance.regionId}.cr.aliyuncs.com`);
    return names.includes(name) || (internetEnabled && userDomains.some((domain) => [host, name].includes(domain)));
  });
}

/**
 * Decides on a token request; `undefined` means 401. There is no anonymous pull. A minted token is good under the
 * user name it was minted with, until it expires, and for the registry behind `service` only; it grants pull unless
 * its key is denied `PullRepository`, and an authenticated caller without rights gets an empty grant (acr.md section 22).
 */
export function authorizeTokenRequest(
  request: TokenRequest,
  world: { readonly state: AlibabaState; readonly users: readonly RegistryUser[]; readonly now: number },
): Grant | undefined {
  const { username, password, service, scopes } = request;
  if (username === undefined || password === undefined || service === '') return undefined;
  const user = world.users.find((known) => known.username === username && known.password === password);
  if (user !== undefined) return { access: buildAccess(scopes, () => user.actions), expiresAt: undefined };

  const minted = world.state.tokens.get(password);
  if (minted?.username !== username || world.now >= minted.expiresAt) return undefined;
  if (buildRegistryService(minted) !== service) return undefined;
  const key = world.state.accessKeys.get(minted.accessKeyId);
  const isPullDenied = key !== undefined && findDenial(world.state, key, 'PullRepository') !== undefined;
  return { access: buildAccess(scopes, () => (isPullDenied ? [] : ['pull'])), expiresAt: minted.expiresAt };
}
