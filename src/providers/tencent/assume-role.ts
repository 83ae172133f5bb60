// A role that is assumed with the key of another identity, of this account or another one (tcr.md section 14).
import { fetchAssumed } from '../assumed-session.ts';
import { shortDigest } from '../../core/short-digest.ts';
import type { TencentIdentity } from './identity.ts';
import { accountOfArn, sessionNameOf, type StsClient } from './sts.ts';

/** Which role, and for how long. */
export interface AssumedRole {
  /** `qcs::cam::uin/<uin>:roleName/<name>`, or `:role/<id>`. */
  readonly roleArn: string;
  readonly durationSeconds: number;
  /** What the trust policy of the role of another account may ask for. */
  readonly externalId: string | undefined;
}

/** Builds the identity of `role`, assumed with the key of `base`; `namedBy` is the field or variable that the role is from. */
export function createAssumedRoleIdentity(
  sts: StsClient,
  base: TencentIdentity,
  role: AssumedRole & { readonly namedBy?: string },
): TencentIdentity {
  const { roleArn, durationSeconds, externalId, namedBy = 'assumeRoleARN' } = role;
  const proof = externalId === undefined ? '' : `/${shortDigest(externalId)}`;
  const key = `${base.key}/${roleArn}/${durationSeconds}${proof}`;
  return {
    key,
    fetchKey: (world, place, signal) =>
      fetchAssumed(
        world,
        {
          ...{ name: `tencent/assume-role/${place.region}/${key}`, roleArn, account: accountOfArn(roleArn) },
          fetchBase: () => base.fetchKey(world, place, signal),
          idOf: ({ secretId, token }) => (token === undefined ? secretId : undefined),
          prepare: (baseKey) =>
            Promise.resolve((abort: AbortSignal) => {
              const { region } = place;
              const call = { region, endpoints: world.endpoints, key: baseKey, now: () => world.now() };
              const sessionName = sessionNameOf(world.env);
              return sts.assumeRole(
                { ...call, ...{ roleArn, namedBy, durationSeconds, externalId, sessionName } },
                abort,
              );
            }),
        },
        signal,
      ),
  };
}
