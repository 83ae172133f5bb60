// The decision of the registry's token endpoint without its socket: who may pull or push what, and until when.

import { findDenial } from './alibaba-sessions.ts';
import type { AlibabaState } from './alibaba-state.ts';
import { buildRegistryService } from './alibaba-state.ts';

/** What a token may allow on a repository. */
export type RepositoryAction = 'pull' | 'push';

/** A fixed user of the registry: for pushing test images, and for the `static` provider. Never expires. */
export interface RegistryUser {
  readonly username: string;
  readonly password: string;
  readonly actions: readonly RepositoryAction[];
}

/** One entry of the `access` claim of a registry token. */
export interface Access {
  readonly type: 'repository';
  readonly name: string;
  readonly actions: readonly RepositoryAction[];
}

/** A token request after parsing: decoded Basic credentials if any, and scopes such as `repository:a/b:pull,push`. */
export interface TokenRequest {
  readonly username?: string;
  readonly password?: string;
  readonly service: string;
  readonly scopes: readonly string[];
}

/** An authenticated caller: what it was granted (possibly nothing), and until when its password is good, epoch ms. */
export interface Grant {
  readonly access: readonly Access[];
  readonly expiresAt: number | undefined;
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
  if (user !== undefined) return { access: buildAccess(scopes, user.actions), expiresAt: undefined };

  const minted = world.state.tokens.get(password);
  if (minted?.username !== username || world.now >= minted.expiresAt) return undefined;
  if (buildRegistryService(minted) !== service) return undefined;
  const key = world.state.accessKeys.get(minted.accessKeyId);
  const isPullDenied = key !== undefined && findDenial(world.state, key, 'PullRepository') !== undefined;
  return { access: buildAccess(scopes, isPullDenied ? [] : ['pull']), expiresAt: minted.expiresAt };
}

/** Parses the value of an `Authorization: Basic` header; `undefined` for anything else. */
export function parseBasic(header: string | undefined): { username: string; password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':'); // the first one: a minted token holds a colon itself
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function buildAccess(scopes: readonly string[], granted: readonly RepositoryAction[]): readonly Access[] {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .flatMap((scope) => {
      const [, name, wanted] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? [];
      if (name === undefined || wanted === undefined) return [];
      const actions = granted.filter((action) => wanted.split(',').includes(action));
      return actions.length === 0 ? [] : [{ type: 'repository' as const, name, actions }];
    });
}
