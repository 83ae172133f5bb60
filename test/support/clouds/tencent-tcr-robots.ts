// The actions of tcr 2019-09-24 about robots, which it calls service accounts (tcr.md section 11).

import { randomBytes } from 'node:crypto';
import type { ApiError } from './api-error.ts';
import { writeInstant, writeList, writeLocalTime } from './tencent-answers.ts';
import type { Action, Result, Turn } from './tencent-gateway.ts';
import type { Member, Members, Parameters } from './tencent-members.ts';
import { BOOLEAN, INTEGER, invalid, readPage, REQUIRED_TEXT, TEXT } from './tencent-members.ts';
import { buildRobotKey } from './tencent-registries.ts';
import type { Robot, TencentInstance, TencentState } from './tencent-state.ts';
import { findInstance, INSTANCE_RESOURCE } from './tencent-tcr-instances.ts';

const ROBOT_ACTIONS_ALLOWED: readonly string[] = [
  ...[
    'tcr:PushRepository',
    'tcr:PullRepository',
    'tcr:CreateRepository',
    'tcr:CreateHelmChart',
    'tcr:DescribeHelmCharts',
  ],
];
const PREFIX = 'tcr$';
const DAY_MS = 86_400_000;
const DEFAULT_QUOTA = 100;
/** What the cloud writes for an account that does not expire. */
const NEVER = -1;

const PERMISSIONS: Member = {
  type: 'objects',
  members: { Resource: REQUIRED_TEXT, Actions: { type: 'texts', required: true } },
};
const SETTINGS: Members = {
  ...{ RegistryId: REQUIRED_TEXT, Name: REQUIRED_TEXT, Permissions: PERMISSIONS, Description: TEXT },
  ...{ Duration: INTEGER, ExpiresAt: INTEGER, Disable: BOOLEAN },
};

const forInstance = (members: Members, run: (turn: Turn, instance: TencentInstance) => Result): Action => ({
  ...{ members, rate: 20, resources: INSTANCE_RESOURCE },
  run: (turn) => {
    const instance = findInstance(turn);
    return 'error' in instance ? instance : run(turn, instance);
  },
});

export const ROBOT_ACTIONS: Readonly<Record<string, Action>> = {
  CreateServiceAccount: forInstance({ ...SETTINGS, Permissions: { ...PERMISSIONS, required: true } }, create),
  DescribeServiceAccounts: forInstance(
    {
      ...{ RegistryId: REQUIRED_TEXT, All: BOOLEAN, EmbedPermission: BOOLEAN, Offset: INTEGER, Limit: INTEGER },
      Filters: { type: 'objects', members: { Name: REQUIRED_TEXT, Values: { type: 'texts', required: true } } },
    },
    describe,
  ),
  ModifyServiceAccount: forInstance(SETTINGS, (turn, instance) =>
    change(turn, instance, (robot) => {
      const settings = readSettings(turn.parameters, turn.now);
      return 'error' in settings ? settings : { robot: { ...robot, ...settings.settings }, body: {} };
    }),
  ),
  ModifyServiceAccountPassword: forInstance(
    { RegistryId: REQUIRED_TEXT, Name: REQUIRED_TEXT, Random: { ...BOOLEAN, required: true }, Password: TEXT },
    (turn, instance) => change(turn, instance, (robot) => changePassword(turn.parameters, robot)),
  ),
  DeleteServiceAccount: forInstance({ RegistryId: REQUIRED_TEXT, Name: REQUIRED_TEXT }, (turn, instance) =>
    change(turn, instance, () => ({ robot: undefined, body: {} })),
  ),
};

function create({ state, parameters, now }: Turn, { registryId, robotQuota = DEFAULT_QUOTA }: TencentInstance): Result {
  const { Name: asked } = parameters as { Name: string };
  if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(asked)) {
    return { error: invalid('Name', 'lower-case letters, digits and single . _ - between them') };
  }
  const read = readSettings(parameters, now);
  if ('error' in read) return read;
  const name = `${PREFIX}${asked}`;
  if (state.robots.has(buildRobotKey(registryId, name))) return refuse('OperationDenied', `${name} is there already.`);
  if (listRobots(state, registryId).length >= robotQuota) {
    return refuse('OperationDenied.QuotaOverLimit', `The instance may have ${robotQuota} service accounts.`);
  }
  const robot: Robot = {
    ...{ registryId, name, password: buildPassword(), description: '', permissions: [], disabled: false },
    ...{ createdAt: now, expiresAt: undefined, ...read.settings },
  };
  state.robots.set(buildRobotKey(registryId, name), robot);
  return {
    body: {
      ...{ Name: name, Password: robot.password, CreateTime: writeLocalTime(now) },
      ExpiresAt: writeExpiry(state, robot),
    },
  };
}

function describe({ state, parameters }: Turn, { registryId }: TencentInstance): Result {
  const page = readPage(parameters);
  if ('code' in page) return { error: page };
  const asked: {
    readonly All?: boolean;
    readonly EmbedPermission?: boolean;
    readonly Filters?: readonly { readonly Name: string; readonly Values: readonly string[] }[];
  } = parameters;
  const { All: isAll = false, EmbedPermission: isEmbedded = false, Filters: filters = [] } = asked;
  const strange = filters.find(({ Name }) => Name !== 'ServiceAccountName');
  if (strange !== undefined) return { error: invalid('Filters', `there is no filter ${strange.Name}`) };
  const found = listRobots(state, registryId).filter(({ name }) =>
    filters.every(({ Values }) => Values.some((value) => [name, name.slice(PREFIX.length)].includes(value))),
  );
  const shown = (isAll ? found : found.slice(page.offset, page.offset + page.limit)).map((robot) => ({
    ...{ Name: robot.name, Description: robot.description, Disable: robot.disabled },
    ...{ ExpiresAt: writeExpiry(state, robot), CreateTime: writeLocalTime(robot.createdAt) },
    Permissions: isEmbedded
      ? robot.permissions.map(({ resource, actions }) => ({ Resource: resource, Actions: actions }))
      : writeList(state, []),
  }));
  return { body: { ServiceAccounts: writeList(state, shown), TotalCount: found.length } };
}

interface Change {
  readonly robot: Robot | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Changes the robot that a call names, with its prefix or without; the change takes effect at once. */
function change(
  { state, parameters }: Turn,
  { registryId }: TencentInstance,
  to: (robot: Robot) => Change | { readonly error: ApiError },
): Result {
  const { Name: asked } = parameters as { Name: string };
  const id = buildRobotKey(registryId, asked.startsWith(PREFIX) ? asked : `${PREFIX}${asked}`);
  const robot = state.robots.get(id);
  if (robot === undefined) return refuse('ResourceNotFound', `There is no service account ${asked}.`);
  const changed = to(robot);
  if ('error' in changed) return changed;
  if (changed.robot === undefined) state.robots.delete(id);
  else state.robots.set(id, changed.robot);
  return { body: changed.body };
}

function changePassword(parameters: Parameters, robot: Robot): Change | { readonly error: ApiError } {
  const { Random: isRandom, Password: given = '' } = parameters as { Random: boolean; Password?: string };
  const isFit = given.length >= 8 && given.length <= 20 && [/[A-Z]/, /[a-z]/, /\d/].every((kind) => kind.test(given));
  if (!isRandom && !isFit) {
    return { error: invalid('Password', '8 to 20 characters with upper-case and lower-case letters and digits') };
  }
  const password = isRandom ? buildPassword() : given;
  return { robot: { ...robot, password }, body: { Password: password } };
}

/** What a call sets. Days win over the instant; a value below 1e12 would be seconds and lie in the past. */
function readSettings(
  parameters: Parameters,
  now: number,
): { readonly settings: Partial<Robot> } | { readonly error: ApiError } {
  const given: {
    readonly Permissions?: readonly { readonly Resource: string; readonly Actions: readonly string[] }[];
    readonly Description?: string;
    readonly Duration?: number;
    readonly ExpiresAt?: number;
    readonly Disable?: boolean;
  } = parameters;
  const {
    Permissions: permissions,
    Description: description,
    Disable: disabled,
    Duration: days,
    ExpiresAt: at,
  } = given;
  for (const { Resource: resource, Actions: actions } of permissions ?? []) {
    if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(resource)) {
      return { error: invalid('Permissions.Resource', `${resource} is no namespace of the registry`) };
    }
    const strange = actions.find((action) => !ROBOT_ACTIONS_ALLOWED.includes(action));
    if (strange !== undefined || actions.length === 0) {
      return { error: invalid('Permissions.Actions', `any of ${ROBOT_ACTIONS_ALLOWED.join(', ')}`) };
    }
  }
  if (permissions?.length === 0) return { error: invalid('Permissions', 'at least one') };
  if (days !== undefined && days < 1) return { error: invalid('Duration', 'at least one day') };
  if (days === undefined && at !== undefined && at <= now) return { error: invalid('ExpiresAt', 'it is over already') };
  const expiresAt = days === undefined ? at : now + days * DAY_MS;
  return {
    settings: {
      ...(permissions && {
        permissions: permissions.map(({ Resource, Actions }) => ({ resource: Resource, actions: Actions })),
      }),
      ...(description === undefined ? {} : { description }),
      ...(disabled === undefined ? {} : { disabled }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  };
}

function listRobots(state: TencentState, registryId: string): readonly Robot[] {
  return [...state.robots.values()].filter((robot) => robot.registryId === registryId);
}

function writeExpiry(state: TencentState, { expiresAt }: Robot): number | string {
  return expiresAt === undefined ? NEVER : writeInstant(state, expiresAt);
}

/** 32 characters, with one of each kind at least. */
function buildPassword(): string {
  return `Aa0${randomBytes(22).toString('base64url').slice(0, 29)}`;
}

function refuse(code: string, message: string): { readonly error: ApiError } {
  return { error: { status: 200, code, message } };
}
