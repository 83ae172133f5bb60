// The actions of tcr 2019-09-24 about the Personal Edition, whose password is fixed (tcr.md section 17).

import type { ApiError } from './api-error.ts';
import type { Action, Result, Turn } from './tencent-gateway.ts';
import { invalid, REQUIRED_TEXT } from './tencent-members.ts';

const LIMITS = [
  { Type: 'namespace', Value: 10 },
  { Type: 'repo', Value: 500 },
  { Type: 'tag', Value: 100 },
];

const forAccount = (members: Action['members'], run: (turn: Turn, ownerUin: string) => Result): Action => ({
  ...{ members, rate: 20, resources: () => [] },
  run: (turn) => run(turn, turn.key?.ownerUin ?? ''),
});

export const PERSONAL_ACTIONS: Readonly<Record<string, Action>> = {
  CreateUserPersonal: forAccount({ Password: REQUIRED_TEXT }, ({ state, parameters }, ownerUin) => {
    if (state.personalPasswords.has(ownerUin)) return refuse('FailedOperation', 'The account has a user already.');
    return setPassword(state.personalPasswords, ownerUin, String(parameters.Password));
  }),
  ModifyUserPasswordPersonal: forAccount({ Password: REQUIRED_TEXT }, ({ state, parameters }, ownerUin) => {
    if (!state.personalPasswords.has(ownerUin)) return refuse('ResourceNotFound', 'The account has no user.');
    return setPassword(state.personalPasswords, ownerUin, String(parameters.Password));
  }),
  DescribeUserQuotaPersonal: forAccount({}, ({ state }, ownerUin) => {
    if (!state.personalPasswords.has(ownerUin)) return refuse('ResourceNotFound', 'The account has no user.');
    return { body: { Data: { LimitInfo: LIMITS.map((limit) => ({ Username: ownerUin, ...limit })) } } };
  }),
};

function setPassword(passwords: Map<string, string>, ownerUin: string, password: string): Result {
  if (password.length < 8 || password.length > 16) return { error: invalid('Password', '8 to 16 characters') };
  passwords.set(ownerUin, password);
  return { body: {} };
}

function refuse(code: string, message: string): { readonly error: ApiError } {
  return { error: { status: 200, code, message } };
}
