// What a caller of the simulated Tencent Cloud may do, and who may be a role: CAM policies over six-part resources (tcr.md
// section 15).

import type { TencentKey, TencentRole, TencentState, TencentTrust } from './tencent-state.ts';

/** One statement of a policy, as people write it. `name/tcr:…` means the same as `tcr:…`; `*` stands for anything. */
export interface Statement {
  readonly effect: 'allow' | 'deny';
  readonly action: readonly string[];
  /** `*`, or `qcs::tcr:<region>:<account>:<resource>`; an empty region or account is every one. */
  readonly resource: readonly string[];
}

/** Whether a policy allows an action on a resource: a deny always wins, and what no statement allows is denied. */
export function isAllowed(policy: readonly Statement[], action: string, resource: string): boolean {
  const hits = policy.filter(
    (statement) =>
      statement.action.some((pattern) => matches(pattern.replace(/^name\//, ''), action)) &&
      statement.resource.some((pattern) => matchesResource(pattern, resource)),
  );
  return hits.some(({ effect }) => effect === 'allow') && hits.every(({ effect }) => effect === 'allow');
}

/** The policy of whoever acts under a UIN: a user's, or a role's by its id. `undefined`: nobody does any more. */
export function findPolicy(state: TencentState, uin: string): readonly Statement[] | undefined {
  const role = [...state.roles.values()].find(({ roleId }) => roleId === uin);
  return state.users.get(uin)?.policy ?? role?.policy;
}

/** `qcs::tcr:<region>:uin/<owner>:<rest>` */
export function buildResource(
  rest: string,
  { region, ownerUin }: { readonly region: string; readonly ownerUin: string },
): string {
  return `qcs::tcr:${region}:uin/${ownerUin}:${rest}`;
}

/** The parts of a role's ARN: `qcs::cam::uin/<uin>:roleName/<name>` or `:role/<id>` or `:role/tencentcloudServiceRoleName/<name>`. */
export function parseRoleArn(arn: string): { readonly ownerUin: string; readonly name: string } | undefined {
  const [, ownerUin, name] =
    /^qcs::cam::uin\/(\d+):(?:roleName|role(?:\/tencentcloudServiceRoleName)?)\/([\w+=,.@-]+)$/.exec(arn) ?? [];
  return ownerUin === undefined || name === undefined ? undefined : { ownerUin, name };
}

/** A role by its ARN, by name or by id. */
export function findRole(state: TencentState, arn: string): TencentRole | undefined {
  const asked = parseRoleArn(arn);
  return [...state.roles.values()].find((role) => {
    const own = parseRoleArn(role.arn);
    return (
      role.arn === arn || (own?.ownerUin === asked?.ownerUin && /:role\/\d+$/.test(arn) && asked?.name === role.roleId)
    );
  });
}

/** The ARN of whoever holds a key, as trust policies and GetCallerIdentity have it. */
export function principalOf(key: TencentKey): string {
  return key.roleArn ?? `qcs::cam::uin/${key.ownerUin}:uin/${key.uin}`;
}

/** Whether the trust policy of a role names the holder of a key, or its account, and the external id is the one it wants. */
export function isTrusted(role: TencentRole, key: TencentKey, externalId: string | undefined): boolean {
  const names = [principalOf(key), `qcs::cam::uin/${key.ownerUin}:root`];
  return role.trust.some(
    (trust) => 'qcs' in trust && names.includes(trust.qcs) && (trust.externalId ?? externalId) === externalId,
  );
}

/** Whether the trust policy of a role names a service of the cloud, such as `cvm.qcloud.com`. */
export function isServiceTrusted(role: TencentRole, service: string): boolean {
  return role.trust.some((trust) => 'service' in trust && trust.service === service);
}

/** The statements of a role's trust policy about an identity provider. */
export function findProviderTrust(
  role: TencentRole,
  providerId: string,
): readonly Extract<TencentTrust, { providerId: string }>[] {
  return role.trust.flatMap((trust) => ('providerId' in trust && trust.providerId === providerId ? [trust] : []));
}

function matchesResource(pattern: string, resource: string): boolean {
  if (pattern === '*') return true;
  const wanted = splitResource(pattern);
  const actual = splitResource(resource);
  return wanted.every((part, index) => {
    const isOpen = part === '' && (index === 3 || index === 4);
    return isOpen || matches(part, actual[index] ?? '');
  });
}

/** Six parts; a colon in the last one belongs to it. */
function splitResource(resource: string): readonly string[] {
  const parts = resource.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function matches(pattern: string, text: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(text);
}
