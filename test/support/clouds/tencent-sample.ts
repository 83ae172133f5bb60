// Obviously fake accounts of Tencent Cloud for callers that bring none of their own, with one principal for each way to
// authenticate.

import type { Statement } from './tencent-cam.ts';
import type { TencentMetadataSettings } from './tencent-metadata-answers.ts';
import type { TencentInstance, TencentKey, TencentOidcProvider, TencentRole, TencentUser } from './tencent-state.ts';

const OWNER = '100000000001';
const OTHER_OWNER = '200000000002';
const PROVIDER_ID = 'cls-sample01';
const CVM_ROLE_ARN = `qcs::cam::uin/${OWNER}:roleName/cvm-sample`;
const WEB_ROLE_ARN = `qcs::cam::uin/${OWNER}:roleName/tcr-web-sample`;
const EVERYTHING: readonly Statement[] = [{ effect: 'allow', action: ['*'], resource: ['*'] }];

/**
 * The first account has a user with a key, an instance, and roles for a CVM and for a ServiceAccount; the other account has an
 * instance and a role that both of these, and the user, may assume.
 */
export const TENCENT_SAMPLE = {
  user: { uin: '100000000011', ownerUin: OWNER, policy: EVERYTHING },
  key: {
    secretId: 'AKIDsamplesecretid',
    secretKey: 'sample-secret-not-real',
    uin: '100000000011',
    ownerUin: OWNER,
  },
  instance: {
    registryId: 'tcr-sample01',
    registryName: 'acme-sample',
    regionName: 'ap-guangzhou',
    ownerUin: OWNER,
    vpcLinks: [{ vpcId: 'vpc-sample01', subnetId: 'subnet-sample01', accessIp: '10.20.0.7' }],
  },
  otherInstance: {
    registryId: 'tcr-sample02',
    registryName: 'globex-sample',
    regionName: 'ap-singapore',
    ownerUin: OTHER_OWNER,
  },
  /** Its keys are those of a test's own issuer: put the provider with `keys` into the state. */
  oidcProvider: {
    providerId: PROVIDER_ID,
    ownerUin: OWNER,
    issuer: 'https://kubernetes.default.svc',
    clientIds: ['sts.cloud.tencent.com'],
    keys: [],
  },
  cvmRole: {
    arn: CVM_ROLE_ARN,
    roleId: '4611686000000000001',
    trust: [{ service: 'cvm.qcloud.com' }],
    policy: EVERYTHING,
  },
  webRole: {
    arn: WEB_ROLE_ARN,
    roleId: '4611686000000000002',
    trust: [
      {
        providerId: PROVIDER_ID,
        subjects: ['system:serviceaccount:kube-system:registry-credential-helper'],
      },
    ],
    policy: EVERYTHING,
  },
  otherRole: {
    arn: `qcs::cam::uin/${OTHER_OWNER}:roleName/tcr-other-sample`,
    roleId: '4611686000000000003',
    trust: [{ qcs: `qcs::cam::uin/${OWNER}:root` }],
    policy: EVERYTHING,
  },
  metadata: { mode: 'normal', roleArn: CVM_ROLE_ARN, sessionSeconds: 21_600, renewBeforeEndMs: 1_800_000 },
  /** Of the Personal Edition, by the account's UIN. */
  personalPasswords: { [OWNER]: 'Sample-Password1' },
} as const satisfies {
  user: TencentUser;
  key: TencentKey;
  oidcProvider: TencentOidcProvider;
  metadata: TencentMetadataSettings;
  personalPasswords: Readonly<Record<string, string>>;
} & Readonly<Record<'instance' | 'otherInstance', TencentInstance>> &
  Readonly<Record<'cvmRole' | 'webRole' | 'otherRole', TencentRole>>;
