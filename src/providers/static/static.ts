// Provider `static`: a fixed user name and password from a Secret, for every registry that has nothing better.
import { readFields } from '../../core/fields.ts';
import { ProviderError } from '../../core/errors.ts';
import { parseHosts } from '../../core/registry-host.ts';
import type { SecretReference } from '../../core/types.ts';
import type { RegistryProvider } from '../provider.ts';
import { parseSecretReference, readSecretKeys } from '../secret-reference.ts';

/** What the provider must know to answer. */
export interface StaticTarget {
  readonly hosts: readonly string[];
  readonly secret: SecretReference;
  readonly usernameKey: string;
  readonly passwordKey: string;
}

/** Builds the provider. Its credentials never expire: a change of the Secret renews them. */
export function createStaticProvider(): RegistryProvider<StaticTarget> {
  return {
    name: 'static',

    parseTarget(input, defaults) {
      const fields = readFields(input);
      const servers = fields.text('server');
      const members = [...(fields.list('domains') ?? []), ...(servers === undefined ? [] : [servers])];
      const hosts = parseHosts(fields, 'domains', members);
      if (members.length === 0) {
        fields.report('domains', 'is missing: write the registry hosts, e.g. `domains: registry.example.com`');
      }
      const secret = parseSecretReference(fields, 'secretRef', {
        defaults,
        published: true,
        cure: 'name a Secret with the keys `username` and `password`, e.g. `secretRef: {name: registry-login}`',
      });
      const usernameKey = fields.text('usernameKey') ?? 'username';
      const passwordKey = fields.text('passwordKey') ?? 'password';
      const issues = fields.issues();
      if (secret === undefined || issues.some((issue) => issue.severity === 'error')) return { ok: false, issues };
      return { ok: true, value: { hosts, secret, usernameKey, passwordKey }, issues };
    },

    registryHosts: (target) => target.hosts,

    cacheKey: ({ secret, usernameKey, passwordKey }) =>
      // Names of Secret keys hold no slash.
      ['static', secret.namespace, secret.name, usernameKey, passwordKey].map(encodeURIComponent).join('/'),

    secretUse: (target) => ({ reference: target.secret, published: true }),

    async fetchCredential(target, world, signal) {
      const issuedAt = world.now();
      const values = await readSecretKeys(world, target.secret, [target.usernameKey, target.passwordKey], signal);
      const username = values[target.usernameKey] ?? '';
      const password = values[target.passwordKey] ?? '';
      if (username.includes(':')) {
        const place = `Key ${target.usernameKey} of the Secret ${target.secret.namespace}/${target.secret.name}`;
        throw new ProviderError(
          'IdentityUnavailable',
          `${place} holds a colon, which no registry user name may: check that it is the user name`,
        );
      }
      return { username, password, issuedAt, expiresAt: undefined };
    },

    // Nothing is made for it.
    mints: () => false,
    revocationTarget: (target) => target,
    revokeCredentials: () => Promise.resolve([]),
  };
}
