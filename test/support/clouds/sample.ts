// Obviously fake accounts for callers that bring none of their own: two accounts, with one principal for each way to
// authenticate.

import type { MetadataSettings } from './alibaba-metadata-answers.ts';
import type { AccessKey, Instance, Role } from './alibaba-state.ts';
import type { OidcProvider } from './oidc-token.ts';
import type { RegistryUser } from './registry-auth.ts';

const ACCOUNT = '1000000000000001';
const OTHER_ACCOUNT = '2000000000000002';
const PROVIDER_ARN = `acs:ram::${ACCOUNT}:oidc-provider/ack-rrsa-sample`;
const WORKER_ROLE_ARN = `acs:ram::${ACCOUNT}:role/kubernetesworkerrole-sample`;
const ROLE_A_ARN = `acs:ram::${ACCOUNT}:role/acr-a`;

/**
 * The first account has a RAM user, an instance, and three roles; the other has an instance and role B, which the worker role
 * and role A may assume. Only the first account's instance is there at start.
 */
export const SAMPLE = {
  accessKey: {
    accessKeyId: 'LTAIsampleaccesskey',
    accessKeySecret: 'sample-secret-not-real',
    accountId: ACCOUNT,
    userName: 'registry-reader',
    status: 'Active',
  },
  instance: {
    instanceId: 'cri-sample0000000001',
    instanceName: 'acme',
    regionId: 'cn-hangzhou',
    accountId: ACCOUNT,
  },
  otherInstance: {
    instanceId: 'cri-sample0000000002',
    instanceName: 'globex',
    regionId: 'cn-hangzhou',
    accountId: OTHER_ACCOUNT,
  },
  user: { username: 'sample-pusher', password: 'sample-password', actions: ['pull', 'push'] },
  /** Its keys are those of a test's own issuer: put the provider with `keys` into the state. */
  oidcProvider: {
    arn: PROVIDER_ARN,
    issuer: 'https://kubernetes.default.svc',
    clientIds: ['sts.aliyuncs.com'],
    keys: [],
  },
  workerRole: { arn: WORKER_ROLE_ARN, trust: [{ service: 'ecs.aliyuncs.com' }] },
  managedRole: {
    arn: `acs:ram::${ACCOUNT}:role/aliyuncsmanagedacrrole`,
    trust: [{ service: 'cs.aliyuncs.com' }],
    denied: { AssumeRole: 'NoPermission' },
  },
  roleA: {
    arn: ROLE_A_ARN,
    trust: [
      {
        oidcProviderArn: PROVIDER_ARN,
        subjects: [
          'system:serviceaccount:kube-system:aliyun-acr-credential-helper',
          'system:serviceaccount:kube-system:registry-credential-helper',
        ],
      },
    ],
  },
  roleB: {
    arn: `acs:ram::${OTHER_ACCOUNT}:role/acr-b`,
    trust: [{ ram: WORKER_ROLE_ARN }, { ram: ROLE_A_ARN }],
  },
  metadata: {
    mode: 'normal',
    regionId: 'cn-hangzhou',
    accountId: ACCOUNT,
    instanceId: 'i-sample00000000001',
    roleArn: WORKER_ROLE_ARN,
    sessionSeconds: 21_600,
    renewBeforeEndMs: 1_800_000,
  },
} as const satisfies {
  accessKey: AccessKey;
  instance: Instance;
  otherInstance: Instance;
  user: RegistryUser;
  oidcProvider: OidcProvider;
  metadata: MetadataSettings;
} & Readonly<Record<'workerRole' | 'managedRole' | 'roleA' | 'roleB', Role>>;
