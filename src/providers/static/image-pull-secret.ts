// Provider of `ImagePullSecret` resources that bring their own password: in the resource, or in a Secret that it names. What is
// secret is read when it is needed; rules and cache keys hold none of it.
import { readFields } from '../../core/fields.ts';
import { ProviderError } from '../../core/errors.ts';
import { RESOURCE_PROVIDER } from '../../core/image-pull-secret.ts';
import { readTokenLife } from '../../core/token-life.ts';
import { isRegistryHost, parseHosts } from '../../core/registry-host.ts';
import { resourceReference } from '../../core/resource-source.ts';
import type { SecretReference } from '../../core/types.ts';
import type { RegistryProvider } from '../provider.ts';
import { parseSecretReference, readSecretKeys } from '../secret-reference.ts';

/** Longest user name, and longest password, characters; the tokens of clouds have some 1,200. */
const MAX_USERNAME = 1_024;
const MAX_PASSWORD = 16_384;

/** What the provider must know to answer. */
export interface ResourceTarget {
  /** Name of the resource. */
  readonly resource: string;
  readonly hosts: readonly string[];
  /** Where the password is; undefined = in the resource. */
  readonly password: { readonly secret: SecretReference; readonly key: string } | undefined;
}

const TOO_LONG = `is too long: ${MAX_PASSWORD} characters at most; it looks as if a file was pasted`;

/** Builds the provider. Its credentials are renewed by whoever edits the resource or the Secret. */
export function createResourceProvider(): RegistryProvider<ResourceTarget> {
  return {
    name: RESOURCE_PROVIDER,

    parseTarget(input, defaults) {
      const fields = readFields(input);
      const resource = fields.requiredText('resource', 'it is the name of the resource') ?? '';
      const server = fields.requiredText(
        'server',
        'write the host of the registry, e.g. `acme-prod.tencentcloudcr.com`',
      );
      const isHost = server !== undefined && isRegistryHost(server.toLowerCase());
      if (server !== undefined && !isHost) {
        const message = 'must be the host alone, with a port where there is one: no scheme, no path';
        fields.report('server', message, server.includes('@') ? {} : { value: server.slice(0, 80) });
      }
      const hosts = isHost ? parseHosts(fields, 'server', [server]) : [];
      const username = fields.requiredText('username', 'write the user name; of TCR it is the account’s UIN');
      // The issue does not quote it: a password might have been put there.
      if (username?.includes(':') === true) fields.report('username', 'must not hold a colon');
      if ((username?.length ?? 0) > MAX_USERNAME)
        fields.report('username', `is too long: ${MAX_USERNAME} characters at most`);
      const isReferred = input.passwordSecretRef !== undefined && input.passwordSecretRef !== null;
      let key = 'password';
      const secret = isReferred
        ? parseSecretReference(fields, 'passwordSecretRef', {
            defaults,
            published: true,
            cure: 'name a Secret of the add-on’s namespace, e.g. `passwordSecretRef: {name: tcr-login, key: password}`',
            readMore: (reference) => (key = reference.text('key') ?? key),
          })
        : undefined;
      const inline = fields.text('password');
      if (isReferred && inline !== undefined) {
        fields.report('password', 'and `passwordSecretRef` are two passwords: keep the second, remove this one');
      }
      if (!isReferred && inline === undefined) {
        fields.report('password', 'is missing: write it, or better name a Secret in `passwordSecretRef`');
      }
      if ((inline?.length ?? 0) > MAX_PASSWORD) fields.report('password', TOO_LONG);
      const issues = fields.issues();
      if (issues.some((issue) => issue.severity === 'error')) return { ok: false, issues };
      const password = secret === undefined ? undefined : { secret, key };
      return { ok: true, value: { resource, hosts, password }, issues };
    },

    registryHosts: (target) => target.hosts,

    // Another Secret, or another key in it, is another password.
    cacheKey: ({ resource, password }) =>
      [
        ...[RESOURCE_PROVIDER, resource],
        ...(password === undefined ? [] : [password.secret.namespace, password.secret.name, password.key]),
      ]
        .map(encodeURIComponent)
        .join('/'),

    secretUse: ({ password }) => (password === undefined ? undefined : { reference: password.secret, published: true }),

    async fetchCredential({ resource, password: from }, world, signal) {
      const issuedAt = world.now();
      const { username = '', password: inline = '' } = await world.readSecret(resourceReference(resource), signal);
      const password =
        from === undefined ? inline : (await readSecretKeys(world, from.secret, [from.key], signal))[from.key];
      if (username === '' || password === undefined || password === '') {
        const message = `The ImagePullSecret ${resource} has no user name or password that it was understood with: write them, put a wrong edit right, or delete it`;
        throw new ProviderError('IdentityUnavailable', message);
      }
      if (password.length > MAX_PASSWORD) {
        const message = `The password of the ImagePullSecret ${resource} ${TOO_LONG}`;
        throw new ProviderError('IdentityUnavailable', message);
      }
      const { expiresAt: endsAt, issuedAt: beganAt } = readTokenLife(password) ?? {};
      return {
        ...{ username, password, issuedAt, expiresAt: undefined },
        ...(endsAt === undefined ? {} : { endsAt }),
        ...(beganAt === undefined ? {} : { beganAt }),
      };
    },

    // Nothing is made for it.
    mints: () => false,
    revocationTarget: (target) => target,
    revokeCredentials: () => Promise.resolve([]),
  };
}
