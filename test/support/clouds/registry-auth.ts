// What the decisions of registries' token endpoints are about: who may pull or push what, and until when.

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
  /** Host of the registry that was asked, where the endpoint tells them apart. */
  readonly registry?: string;
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

/** Parses the value of an `Authorization: Basic` header; `undefined` for anything else. */
export function parseBasic(header: string | undefined): { username: string; password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':'); // the first one: a minted token holds a colon itself
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Builds what of the wanted scopes is granted; `grantedOn` says what is on a repository. */
export function buildAccess(
  scopes: readonly string[],
  grantedOn: (repository: string) => readonly RepositoryAction[],
): readonly Access[] {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .flatMap((scope) => {
      const [, name, wanted] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? [];
      if (name === undefined || wanted === undefined) return [];
      const actions = grantedOn(name).filter((action) => wanted.split(',').includes(action));
      return actions.length === 0 ? [] : [{ type: 'repository' as const, name, actions }];
    });
}
