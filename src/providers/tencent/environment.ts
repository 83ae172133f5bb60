// The key in the environment, under the names of Tencent Cloud's own tools (tcr.md section 14), and all names that we honour.
import { shortDigest } from '../../core/short-digest.ts';
import { AbsentIdentity } from '../first-identity.ts';
import type { ProviderWorld } from '../provider.ts';
import { createAssumedRoleIdentity } from './assume-role.ts';
import type { TencentIdentity, TencentKey } from './identity.ts';
import { DURATION_SECONDS, type StsClient } from './sts.ts';

/** Names; what they hold is read by the identity that each concerns. */
export const TENCENT_VARIABLES: readonly string[] = [
  'TENCENTCLOUD_SECRET_ID',
  'TENCENTCLOUD_SECRET_KEY',
  'TENCENTCLOUD_SESSION_TOKEN',
  'TENCENTCLOUD_TOKEN',
  'TENCENTCLOUD_ROLE_ARN',
  'TENCENTCLOUD_ROLE_SESSION_NAME',
  'TENCENTCLOUD_CREDENTIALS_FILE',
  'HOME',
  'TENCENTCLOUD_REGION',
  'TKE_REGION',
  'TKE_PROVIDER_ID',
  'TKE_ROLE_ARN',
  'TKE_WEB_IDENTITY_TOKEN_FILE',
  'TKE_IDENTITY_TOKEN_FILE',
];

const ID = 'TENCENTCLOUD_SECRET_ID';
const KEY = 'TENCENTCLOUD_SECRET_KEY';
const ROLE = 'TENCENTCLOUD_ROLE_ARN';

/** Builds the identity of the key in the environment; where that names a role, too, of the role, assumed with the key. */
export function createEnvironmentIdentity(sts: StsClient): TencentIdentity {
  const own: TencentIdentity = { key: 'environment', fetchKey: (world, _place, signal) => fetchOwnKey(world, signal) };
  return {
    key: own.key,
    fetchKey(world, place, signal) {
      const { [ROLE]: roleArn } = world.env;
      if (roleArn === undefined) return own.fetchKey(world, place, signal);
      const role = { roleArn, durationSeconds: DURATION_SECONDS.default, externalId: undefined, namedBy: ROLE };
      return createAssumedRoleIdentity(sts, own, role).fetchKey(world, place, signal);
    },
  };
}

async function fetchOwnKey(world: ProviderWorld, signal: AbortSignal): Promise<TencentKey> {
  const { env } = world;
  const { [ID]: secretId, [KEY]: secretKey } = env;
  if (secretId === undefined || secretKey === undefined) throw lacking(env);
  // The first is that of the SDK, the second that of the command line.
  const token = env.TENCENTCLOUD_SESSION_TOKEN ?? env.TENCENTCLOUD_TOKEN;
  const value = { secretId, secretKey, ...(token === undefined ? {} : { token }) };
  const secrets = Object.values(value);
  const held = { value, issuedAt: world.now(), expiresAt: undefined, secrets };
  const key = await world.identity(
    `tencent/environment/${shortDigest(secrets.join('\n'))}`,
    () => Promise.resolve(held),
    signal,
  );
  return { ...key, origin: `the environment (${ID})`, account: 'environment' };
}

function lacking(env: ProviderWorld['env']): AbsentIdentity {
  const lacks = [ID, KEY].filter((name) => env[name] === undefined);
  const present = [ID, KEY, ROLE].filter((name) => env[name] !== undefined);
  const isHalf = present.length > 0;
  const what = isHalf
    ? `has ${present.join(' and ')} but no ${lacks.join(' and no ')}`
    : `has no ${lacks.join(' and no ')}`;
  return new AbsentIdentity(`the environment of the controller ${what}: set ${ID} and ${KEY}, both`, { isHalf });
}
