// The last hop across accounts: with the key of another identity, a session of a role (acr.md sections 7 and 16).
import { createHash } from 'node:crypto';
import type { AlibabaIdentity } from './identity.ts';
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
      // Before the session is looked for: another AccessKey in the Secret means another session.
      const baseKey = await base.fetchKey(world, place, signal);
      const generation = baseKey.securityToken === undefined ? `/${digestOf(baseKey.accessKeyId)}` : '';
      const endpoints = await stsEndpoints(world, place, signal);
      const session = await world.identity(
        `alibaba/assume-role/${place.region}/${key}${generation}`,
        (abort) => {
          const sessionName = world.env.ALIBABA_CLOUD_ROLE_SESSION_NAME ?? SESSION_NAME;
          const call = { region: place.region, endpoints, key: baseKey, now: world.now() };
          return sts.assumeRole({ ...call, roleArn, durationSeconds, sessionName }, abort);
        },
        signal,
      );
      return {
        ...session,
        origin: `${roleArn}, assumed by ${baseKey.origin}`,
        account: accountOfArn(roleArn),
        ...(baseKey.choice === undefined ? {} : { choice: baseKey.choice }),
        ...(baseKey.warnings === undefined ? {} : { warnings: baseKey.warnings }),
      };
    },
  };
}

/** Tells keys apart without telling them. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
