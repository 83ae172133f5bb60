// What the simulated Tencent Cloud holds: accounts' users, keys and roles, registry instances with their tokens and robots, and
// the passwords of the Personal Edition. One plain object that the APIs write and the token endpoint reads; no I/O, time is
// always a parameter.

import type { Statement } from './tencent-cam.ts';
import type { Tc3Key } from './tc3.ts';
import type { OidcProvider } from './oidc-token.ts';

/** A CAM user: who a long-lived key is, and whose rights its registry tokens carry. UINs are digits, kept as text. */
export interface TencentUser {
  readonly uin: string;
  readonly ownerUin: string;
  /** What it may do; nothing else is allowed. Looked up on every call and every pull. */
  readonly policy: readonly Statement[];
}

/** A key of a user, or of a role's session (then with `roleArn`, `token` and `expiresAt`, epoch milliseconds). */
export interface TencentKey extends Tc3Key {
  readonly uin: string;
  readonly ownerUin: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
}

/** A CAM role. `roleId` stands where a user has its UIN, as the operator of what its sessions make. */
export interface TencentRole {
  /** `qcs::cam::uin/<uin>:roleName/<name>` */
  readonly arn: string;
  readonly roleId: string;
  readonly trust: readonly TencentTrust[];
  /** Default 43200, the cloud's own longest. */
  readonly maxSessionSeconds?: number;
  /** As of a user. */
  readonly policy: readonly Statement[];
}

/**
 * One statement of a role's trust policy. `qcs` is `qcs::cam::uin/<owner>:root` for everyone of an account,
 * `qcs::cam::uin/<owner>:uin/<uin>` for a user, or a role's ARN; `service` such as `cvm.qcloud.com`; for an identity provider
 * the conditions `oidc:iss` (default: the provider's issuer), `oidc:aud` (default: its client ids) and, optionally, `oidc:sub`.
 */
export type TencentTrust =
  | { readonly qcs: string; readonly externalId?: string }
  | { readonly service: string }
  | {
      readonly providerId: string;
      readonly issuer?: string;
      readonly audiences?: readonly string[];
      readonly subjects?: readonly string[];
    };

/** An identity provider of an account, as `ProviderId` names it. */
export interface TencentOidcProvider extends Omit<OidcProvider, 'arn'> {
  readonly providerId: string;
  readonly ownerUin: string;
}

/** A registry instance of the Enterprise Edition. Its name is its domain label. */
export interface TencentInstance {
  readonly registryId: string;
  readonly registryName: string;
  readonly regionName: string;
  readonly ownerUin: string;
  /** Default `Running`; with any other no token is minted. */
  readonly status?: string;
  /** Default `standard`. */
  readonly registryType?: string;
  readonly customDomains?: readonly { readonly domain: string; readonly status?: string }[];
  /** Access from VPCs. `readyAt` (epoch ms): until then the address is empty and the status `Pending`. */
  readonly vpcLinks?: readonly VpcLink[];
  /** Default `Opened`, with a policy for each block. */
  readonly publicAccess?: 'Opening' | 'Opened' | 'Closed';
  readonly publicCidrBlocks?: readonly string[];
  /** Most robots that it may have. Default 100. */
  readonly robotQuota?: number;
}

/** One link of an instance into a VPC. */
export interface VpcLink {
  readonly vpcId: string;
  readonly subnetId: string;
  readonly accessIp: string;
  readonly readyAt?: number;
}

/** A long-term token as the cloud keeps it: its text is told once and not kept. Instants are epoch milliseconds. */
export interface LongTermToken {
  readonly tokenId: string;
  readonly registryId: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** When it was deleted; it stays listed, and good for nothing, for the state's `deletionDelayMs`. */
  readonly deletedAt?: number;
}

/** A robot (service account) of an instance. `name` begins with `tcr$`; instants are epoch milliseconds. */
export interface Robot {
  readonly registryId: string;
  readonly name: string;
  readonly password: string;
  readonly description: string;
  readonly permissions: readonly { readonly resource: string; readonly actions: readonly string[] }[];
  readonly disabled: boolean;
  readonly createdAt: number;
  /** `undefined`: it does not expire. */
  readonly expiresAt: number | undefined;
}

/** How answers differ from the documented ones, as older samples and other gateways show (tcr.md sections 9, 11 and 12). */
export interface AnswerVariants {
  /** `ExpTime`, `ExpiredAt` and `ExpiresAt`: milliseconds (default) or seconds, as number or as text. */
  readonly instants: 'ms' | 'ms-text' | 'seconds' | 'seconds-text';
  readonly usernameAsNumber: boolean;
  /** Lists without elements are null (default), or empty. */
  readonly emptyLists: 'null' | 'empty';
  /** `legacy` is `{code, message, codeDesc}`. */
  readonly errors: 'response' | 'legacy';
  /** `asked`: when `Accept-Encoding` has it (default). */
  readonly gzip: 'asked' | 'always' | 'never';
}

/** Everything that the cloud knows; maps are keyed by the id that their values carry. Free to change while it runs. */
export interface TencentState {
  readonly users: Map<string, TencentUser>;
  /** Keys of sessions too, once they are minted. */
  readonly keys: Map<string, TencentKey>;
  readonly roles: Map<string, TencentRole>;
  readonly oidcProviders: Map<string, TencentOidcProvider>;
  readonly instances: Map<string, TencentInstance>;
  readonly tokens: Map<string, LongTermToken>;
  /** By registry id and name, with a blank between. */
  readonly robots: Map<string, Robot>;
  /** Fixed passwords of the Personal Edition by the account's UIN. */
  readonly personalPasswords: Map<string, string>;
  /** Private names that resolve inside of a VPC: `<registryId> <vpcId> <address> public` or `… vpc`. */
  readonly internalDns: Set<string>;
  /** Calls of each `<uin> <action>` that still count against its rate. */
  readonly buckets: Map<string, { tokens: number; at: number }>;
  /** Every other value of `X-TC-Region` is UnsupportedRegion. */
  readonly regions: Set<string>;
  variants: AnswerVariants;
  /** Life of temporary tokens minted from now on, in milliseconds. */
  tokenLifeMs: number;
  /** Of long-term ones. */
  longTermLifeMs: number;
  /** How long a deleted long-term token is still there. */
  deletionDelayMs: number;
  /** Ends new sessions of roles early, in ms, whatever was asked for. */
  sessionLifeCapMs: number;
  /** Begins the id of a session's key: `AKID` is the China site's alone (tcr.md section 10). */
  tmpSecretIdPrefix: string;
}

/** What a cloud holds at start. */
export interface TencentContent {
  readonly users?: readonly TencentUser[];
  readonly keys?: readonly TencentKey[];
  readonly roles?: readonly TencentRole[];
  readonly oidcProviders?: readonly TencentOidcProvider[];
  readonly instances?: readonly TencentInstance[];
  readonly personalPasswords?: Readonly<Record<string, string>>;
}

/** What answers are like unless a test asks for others. */
export const DEFAULT_VARIANTS: AnswerVariants = {
  instants: 'ms',
  usernameAsNumber: false,
  emptyLists: 'null',
  errors: 'response',
  gzip: 'asked',
};

const REGIONS: readonly string[] = [
  ...['ap-guangzhou', 'ap-shanghai', 'ap-beijing', 'ap-nanjing', 'ap-chengdu', 'ap-chongqing', 'ap-hongkong'],
  ...['ap-singapore', 'ap-jakarta', 'ap-bangkok', 'ap-tokyo', 'ap-seoul', 'ap-mumbai', 'eu-frankfurt'],
  ...['na-siliconvalley', 'na-ashburn', 'sa-saopaulo', 'ap-shanghai-fsi', 'ap-shenzhen-fsi', 'ap-beijing-fsi'],
];

/** Builds the state of a cloud that holds `content`. */
export function buildTencentState(content: TencentContent = {}): TencentState {
  return {
    users: new Map(content.users?.map((user) => [user.uin, user])),
    keys: new Map(content.keys?.map((key) => [key.secretId, key])),
    roles: new Map(content.roles?.map((role) => [role.arn, role])),
    oidcProviders: new Map(content.oidcProviders?.map((provider) => [provider.providerId, provider])),
    instances: new Map(content.instances?.map((instance) => [instance.registryId, instance])),
    tokens: new Map(),
    robots: new Map(),
    personalPasswords: new Map(Object.entries(content.personalPasswords ?? {})),
    internalDns: new Set(),
    buckets: new Map(),
    regions: new Set(REGIONS),
    variants: DEFAULT_VARIANTS,
    tokenLifeMs: 3_600_000,
    longTermLifeMs: 3650 * 86_400_000,
    deletionDelayMs: 1_000,
    sessionLifeCapMs: Number.POSITIVE_INFINITY,
    tmpSecretIdPrefix: 'AKIDtmp',
  };
}
