// The last hop across accounts: with the key of another identity, a session of a role (acr.md sections 7 and 16).
import { fetchAssumed, SESSION_NAME } from '../assumed-session.ts';
import type { AlibabaIdentity } from './identity.ts';
import { stsEndpoints } from './local-endpoints.ts';
import { accountOfArn, type StsClient } from './sts.ts';

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
    fetchKey: (world, place, signal) =>
      fetchAssumed(
        world,
        {
          ...{ name: `alibaba/assume-role/${place.region}/${key}`, roleArn, account: accountOfArn(roleArn) },
          fetchBase: () => base.fetchKey(world, place, signal),
          idOf: ({ accessKeyId, securityToken }) => (securityToken === undefined ? accessKeyId : undefined),
          prepare: async (baseKey) => {
            const endpoints = await stsEndpoints(world, place, signal);
            return (abort) => {
              const sessionName = world.env.ALIBABA_CLOUD_ROLE_SESSION_NAME ?? SESSION_NAME;
              const call = { region: place.region, endpoints, key: baseKey, now: world.now() };
              return sts.assumeRole({ ...call, roleArn, durationSeconds, sessionName }, abort);
            };
          },
        },
        signal,
      ),
  };
}
