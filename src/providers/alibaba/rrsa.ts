// RRSA: a token that the cluster signed for a ServiceAccount is traded for a session of a role (acr.md sections 7, 16 and 19).
import { ProviderError } from '../../core/errors.ts';
import type { ServiceAccountReference } from '../../core/types.ts';
import { SESSION_NAME } from '../assumed-session.ts';
import { oidcClaimsOf } from '../oidc-claims.ts';
import type { ProviderWorld } from '../provider.ts';
import type { AlibabaIdentity, AlibabaKey } from './identity.ts';
import { stsEndpoints } from './local-endpoints.ts';
import { accountOfArn, type StsClient } from './sts.ts';

/** Which role, by which provider, for which ServiceAccount; what is undefined comes from the environment. */
export interface RrsaRole {
  /** `acs:ram::<uid>:role/<name>`. */
  readonly roleArn: string | undefined;
  /** `acs:ram::<uid>:oidc-provider/ack-rrsa-<cluster>`. */
  readonly providerArn: string | undefined;
  /** Whose token the cluster is asked for; undefined = the projected file holds one of our own. */
  readonly serviceAccount: ServiceAccountReference | undefined;
}

const AUDIENCE = 'sts.aliyuncs.com';
const TOKEN_FILE = '/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token';

/** Role and provider as ack-pod-identity-webhook names them. */
const VARIABLES = ['ALIBABA_CLOUD_ROLE_ARN', 'ALIBABA_CLOUD_OIDC_PROVIDER_ARN'] as const;

/** Longest session that a role gives without further settings. */
const DURATION_SECONDS = 3_600;

/** Builds the identity of a role that trusts the cluster's ServiceAccount; `otherwise` = where nobody names a role. */
export function createRrsaIdentity(sts: StsClient, role: RrsaRole, otherwise: AlibabaIdentity): AlibabaIdentity {
  const { roleArn = 'env', providerArn = 'env', serviceAccount } = role;
  const account = serviceAccount === undefined ? 'file' : `${serviceAccount.namespace}/${serviceAccount.name}`;
  const isNamed = role.roleArn !== undefined || role.providerArn !== undefined;
  const key = `rrsa/${roleArn}/${providerArn}/${account}${isNamed ? '' : `/${otherwise.key}`}`;
  return {
    key,
    async fetchKey(world, place, signal) {
      const lacks = isNamed ? [] : VARIABLES.filter((name) => world.env[name] === undefined);
      if (lacks.length > 0) return withWarning(await otherwise.fetchKey(world, place, signal), lacks);
      const { role: roleFound, provider } = arnsOf(role, world.env);
      const endpoints = await stsEndpoints(world, place, signal);
      const session = await world.identity(
        `alibaba/${place.region}/${key}`,
        async (abort) => {
          const token = await readToken(world, serviceAccount, abort);
          const sessionName = world.env.ALIBABA_CLOUD_ROLE_SESSION_NAME ?? SESSION_NAME;
          const call = { region: place.region, endpoints, now: world.now(), claims: oidcClaimsOf(token) };
          const wish = { roleArn: roleFound, providerArn: provider, token, sessionName };
          return sts.assumeRoleWithOidc({ ...call, ...wish, durationSeconds: DURATION_SECONDS }, abort);
        },
        signal,
      );
      return { ...session, origin: `RRSA (${roleFound})`, account: accountOfArn(roleFound) };
    },
  };
}

/** The environment names neither role nor provider: nobody wants RRSA. Half of it is a mistake. */
function withWarning(key: AlibabaKey, lacks: readonly string[]): AlibabaKey {
  if (lacks.length === VARIABLES.length) return key;
  const warning = `RRSA is not used: of ${VARIABLES.join(' and ')}, the controller has no ${lacks.join()}`;
  return { ...key, warnings: [...(key.warnings ?? []), warning] };
}

/** What the configuration says wins over the environment. */
function arnsOf(
  { roleArn, providerArn }: RrsaRole,
  env: ProviderWorld['env'],
): { readonly role: string; readonly provider: string } {
  const role = roleArn ?? env.ALIBABA_CLOUD_ROLE_ARN;
  const provider = providerArn ?? env.ALIBABA_CLOUD_OIDC_PROVIDER_ARN;
  if (role !== undefined && provider !== undefined) return { role, provider };
  const [field, variable] =
    role === undefined
      ? ['rrsaRoleARN', 'ALIBABA_CLOUD_ROLE_ARN']
      : ['rrsaOIDCProviderRoleARN', 'ALIBABA_CLOUD_OIDC_PROVIDER_ARN'];
  throw new ProviderError(
    'IdentityUnavailable',
    `RRSA has no ${field}: write it into the item, or set ${variable} for the controller`,
  );
}

function readToken(
  world: ProviderWorld,
  serviceAccount: ServiceAccountReference | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (serviceAccount !== undefined) return world.requestToken(serviceAccount, AUDIENCE, signal);
  const file = world.env.ALIBABA_CLOUD_OIDC_TOKEN_FILE ?? TOKEN_FILE;
  return world.readFile(file).then(
    (text) => text.trim(),
    (error: unknown) => {
      if (!(error instanceof ProviderError)) throw error;
      throw new ProviderError(
        error.reason,
        `${error.message}: mount a projected ServiceAccount token with the audience ${AUDIENCE} there (the value \`rrsa.enabled\` of the chart does), or name a ServiceAccount in the key \`rrsa-service-account\``,
      );
    },
  );
}
