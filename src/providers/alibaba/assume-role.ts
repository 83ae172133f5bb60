// The last hop across accounts: with the key of another identity, a session of a role (acr.md sections 7 and 16).
import { createHash } from 'node:crypto';
import { ProviderError } from '../../core/errors.ts';
import type { AlibabaIdentity, AlibabaKey } from './identity.ts';
import { stsEndpoints } from './local-endpoints.ts';
import { SESSION_NAME, accountOfArn, type StsClient } from './sts.ts';

/** Which role, and for how long. */
export interface AssumedRole {
  /** `acs:ram::<uid>:role/<name>`. */
  readonly roleArn: string;
  readonly durationSeconds: number;
}

/** Builds the identity of `role`, assumed with the key of `base`. */
export function createAssumedRoleIdentity(sts: StsClient, base: AlibabaIdentity, role: AssumedRole): AlibabaIdentity {
  const { roleArn, durationSeconds } = role;
  const key = `${base.key}/${roleArn}/${durationSeconds}`;
  return {
    key,
    async fetchKey(world, place, signal) {
      const name = `alibaba/assume-role/${place.region}/${key}`;
      const baseKey = await base.fetchKey(world, place, signal).catch((error: unknown) => {
        if (!(error instanceof ProviderError)) throw error;
        return error;
      });
      // What was assumed with a session outlasts that one. With an AccessKey nothing is held under this name: gone is gone.
      if (baseKey instanceof ProviderError) {
        return world.identity<AlibabaKey>(name, () => Promise.reject(baseKey), signal);
      }
      // Before the session is looked for: another AccessKey in the Secret means another session.
      const generation = baseKey.securityToken === undefined ? `/${digestOf(baseKey.accessKeyId)}` : '';
      const endpoints = await stsEndpoints(world, place, signal);
      const assumed = await world.identity<AlibabaKey>(
        `${name}${generation}`,
        async (abort) => {
          const sessionName = world.env.ALIBABA_CLOUD_ROLE_SESSION_NAME ?? SESSION_NAME;
          const call = { region: place.region, endpoints, key: baseKey, now: world.now() };
          const session = await sts.assumeRole({ ...call, roleArn, durationSeconds, sessionName }, abort);
          return { ...session, value: { ...session.value, ...madeBy(baseKey, roleArn) } };
        },
        signal,
      );
      return baseKey.warnings === undefined ? assumed : { ...assumed, warnings: baseKey.warnings };
    },
  };
}

/** What is told of a session: by whom it was assumed, also when that one is gone. */
function madeBy({ origin, choice }: AlibabaKey, roleArn: string): Pick<AlibabaKey, 'origin' | 'account' | 'choice'> {
  return {
    origin: `${roleArn}, assumed by ${origin}`,
    account: accountOfArn(roleArn),
    ...(choice === undefined ? {} : { choice }),
  };
}

/** Tells keys apart without telling them. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
