// The actions of tcr 2019-09-24 about tokens of an instance (tcr.md sections 11 and 12).

import type { ApiError } from './api-error.ts';
import { writeInstant, writeList, writeLocalTime } from './tencent-answers.ts';
import type { Action, Result, Turn } from './tencent-gateway.ts';
import { listLongTermTokens, mintLongTermToken, mintTemporaryToken } from './tencent-instance-tokens.ts';
import { BOOLEAN, INTEGER, invalid, readPage, REQUIRED_TEXT, TEXT } from './tencent-members.ts';
import { findInstance, INSTANCE_RESOURCE } from './tencent-tcr-instances.ts';
import type { LongTermToken } from './tencent-state.ts';

const MAX_DESCRIPTION = 255;

export const TOKEN_ACTIONS: Readonly<Record<string, Action>> = {
  CreateInstanceToken: {
    members: { RegistryId: REQUIRED_TEXT, TokenType: TEXT, Desc: TEXT },
    rate: 100,
    resources: INSTANCE_RESOURCE,
    run: createInstanceToken,
  },
  DescribeInstanceToken: {
    members: { RegistryId: REQUIRED_TEXT, Limit: INTEGER, Offset: INTEGER },
    rate: 20,
    resources: INSTANCE_RESOURCE,
    run: describeInstanceToken,
  },
  ModifyInstanceToken: {
    members: {
      ...{ RegistryId: REQUIRED_TEXT, TokenId: REQUIRED_TEXT, Enable: BOOLEAN, Desc: TEXT, ModifyFlag: INTEGER },
    },
    rate: 20,
    resources: INSTANCE_RESOURCE,
    run: modifyInstanceToken,
  },
  DeleteInstanceToken: {
    members: { RegistryId: REQUIRED_TEXT, TokenId: REQUIRED_TEXT },
    rate: 20,
    resources: INSTANCE_RESOURCE,
    run: deleteInstanceToken,
  },
};

function createInstanceToken(turn: Turn): Result {
  const { state, key, now, parameters } = turn;
  const { TokenType: type = 'temp', Desc: description = '' } = parameters as { TokenType?: string; Desc?: string };
  if (type !== 'temp' && type !== 'longterm') return { error: invalid('TokenType', 'it is temp or longterm') };
  if (description.length > MAX_DESCRIPTION) return { error: invalid('Desc', `at most ${MAX_DESCRIPTION} characters`) };
  const instance = findInstance(turn);
  if ('error' in instance) return instance;
  if (key === undefined) return { error: unknown('there is no caller') };
  if ((instance.status ?? 'Running') !== 'Running') {
    return { error: { status: 200, code: 'UnsupportedOperation', message: 'The instance is not running.' } };
  }
  const minted =
    type === 'temp'
      ? mintTemporaryToken(state, { instance, key, now })
      : mintLongTermToken(state, { instance, key, now, description });
  return {
    body: {
      Username: state.variants.usernameAsNumber ? Number(minted.username) : minted.username,
      Token: minted.token,
      ExpTime: writeInstant(state, minted.expTime),
      TokenId: minted.tokenId,
    },
  };
}

function describeInstanceToken(turn: Turn): Result {
  const { state, now } = turn;
  const page = readPage(turn.parameters);
  if ('code' in page) return { error: page };
  const instance = findInstance(turn);
  if ('error' in instance) return instance;
  const tokens = listLongTermTokens(state, instance.registryId, now);
  const shown = tokens.slice(page.offset, page.offset + page.limit).map((token) => ({
    Id: token.tokenId,
    Desc: token.description,
    RegistryId: token.registryId,
    Enabled: token.enabled,
    CreatedAt: writeLocalTime(token.createdAt),
    ExpiredAt: writeInstant(state, token.expiresAt),
  }));
  return { body: { TotalCount: tokens.length, Tokens: writeList(state, shown) } };
}

/** ModifyFlag says which of the two members counts: 1 the description, 2 (default) whether it is enabled. */
function modifyInstanceToken(turn: Turn): Result {
  const given: { readonly ModifyFlag?: number; readonly Enable?: boolean; readonly Desc?: string } = turn.parameters;
  const { ModifyFlag: flag = 2, Enable, Desc } = given;
  if (flag !== 1 && flag !== 2) return { error: invalid('ModifyFlag', 'it is 1 or 2') };
  if (flag === 1 && (Desc === undefined || Desc.length > MAX_DESCRIPTION)) {
    return { error: invalid('Desc', `ModifyFlag 1 needs it, with at most ${MAX_DESCRIPTION} characters`) };
  }
  if (flag === 2 && Enable === undefined) return { error: invalid('Enable', 'ModifyFlag 2 needs it') };
  return change(turn, (token) =>
    flag === 1 ? { ...token, description: Desc ?? '' } : { ...token, enabled: Enable ?? true },
  );
}

function deleteInstanceToken(turn: Turn): Result {
  return change(turn, (token) => ({ ...token, deletedAt: token.deletedAt ?? turn.now }));
}

function change(turn: Turn, to: (token: LongTermToken) => LongTermToken): Result {
  const { state, now, parameters } = turn;
  const instance = findInstance(turn);
  if ('error' in instance) return instance;
  const { TokenId } = parameters;
  const token = listLongTermTokens(state, instance.registryId, now).find(({ tokenId }) => tokenId === TokenId);
  if (token === undefined) return { error: unknown('there is no such token') };
  state.tokens.set(token.tokenId, to(token));
  return { body: {} };
}

function unknown(message: string): ApiError {
  return { status: 200, code: 'InternalError.Unknown', message };
}
