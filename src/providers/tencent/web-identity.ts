// Pod identity of TKE: a token that the cluster signed for our ServiceAccount is traded for a session of a role (tcr.md section 14).
import { ProviderError } from '../../core/errors.ts';
import { isRegionId } from '../../core/item-defaults.ts';
import { AbsentIdentity } from '../first-identity.ts';
import { oidcClaimsOf } from '../oidc-claims.ts';
import type { ProviderWorld } from '../provider.ts';
import type { TencentIdentity } from './identity.ts';
import { AUDIENCE } from './sts-errors.ts';
import { accountOfArn, DURATION_SECONDS, sessionNameOf, type StsClient } from './sts.ts';

/** Which role, by which provider, with which token; what is undefined comes from the environment. */
export interface WebIdentityRole {
  /** Name of the OIDC provider in CAM. */
  readonly providerId: string | undefined;
  readonly roleArn: string | undefined;
  /** Path of the projected token. */
  readonly tokenFile: string | undefined;
}

/** In keys, what an item leaves to the environment: nothing that an item can say. */
const FROM_ENVIRONMENT = '$env';

/** Builds the identity of a role that trusts our ServiceAccount. */
export function createWebIdentity(sts: StsClient, role: WebIdentityRole): TencentIdentity {
  const { providerId = FROM_ENVIRONMENT, roleArn = FROM_ENVIRONMENT, tokenFile = FROM_ENVIRONMENT } = role;
  const key = `web-identity/${roleArn}/${providerId}/${tokenFile}`;
  return {
    key,
    async fetchKey(world, place, signal) {
      const found = complete(role, world.env);
      // The webhook of pod identity knows where the cluster is; the registry may be elsewhere.
      const { TKE_REGION: region = place.region } = world.env;
      if (!isRegionId(region))
        throw new ProviderError('RequestRefused', 'TKE_REGION is no region: correct or remove it');
      const session = await world.identity(
        `tencent/${region}/${key}`,
        async (abort) => {
          const token = await readToken(world, found.tokenFile);
          const call = { region, endpoints: world.endpoints, now: () => world.now(), claims: oidcClaimsOf(token) };
          const wish = { ...found, token, sessionName: sessionNameOf(world.env) };
          return sts.assumeRoleWithWebIdentity({ ...call, ...wish, durationSeconds: DURATION_SECONDS.default }, abort);
        },
        signal,
      );
      return { ...session, origin: `pod identity (${found.roleArn})`, account: accountOfArn(found.roleArn) };
    },
  };
}

/** What the item says wins over the environment. Throws AbsentIdentity that says what nobody names. */
function complete(role: WebIdentityRole, env: ProviderWorld['env']): Readonly<Record<keyof WebIdentityRole, string>> {
  const providerId = role.providerId ?? env.TKE_PROVIDER_ID;
  const roleArn = role.roleArn ?? env.TKE_ROLE_ARN;
  // The first is what TKE injects, the second what some tools read.
  const tokenFile = role.tokenFile ?? env.TKE_WEB_IDENTITY_TOKEN_FILE ?? env.TKE_IDENTITY_TOKEN_FILE;
  if (providerId !== undefined && roleArn !== undefined && tokenFile !== undefined) {
    return { providerId, roleArn, tokenFile };
  }
  const parts = [
    ['providerId', 'TKE_PROVIDER_ID', providerId],
    ['roleARN', 'TKE_ROLE_ARN', roleArn],
    ['tokenFile', 'TKE_WEB_IDENTITY_TOKEN_FILE', tokenFile],
  ] as const;
  const missing = parts.filter(([, , value]) => value === undefined);
  const fields = missing.map(([field]) => field).join(' and no ');
  const variables = missing.map(([, variable]) => variable).join(' and ');
  throw new AbsentIdentity(
    `pod identity has no ${fields}: let the pod identity webhook of TKE set ${variables}, or write them into \`webIdentity\` of the item`,
    { isHalf: missing.length < parts.length },
  );
}

async function readToken(world: ProviderWorld, file: string): Promise<string> {
  const cure = `pod identity mounts a ServiceAccount token with the audience ${AUDIENCE} there: check that its webhook runs and that the ServiceAccount of the controller is annotated, or name the file in \`tokenFile\``;
  const text = await world.readFile(file).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    throw new ProviderError(error.reason, `${error.message}: ${cure}`, { cause: error.cause });
  });
  const token = text.trim();
  if (token === '') throw new ProviderError('IdentityUnavailable', `The file ${file} is empty: ${cure}`);
  return token;
}
