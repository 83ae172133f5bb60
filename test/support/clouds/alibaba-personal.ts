// The cr 2016-06-07 API of the Personal Edition: one call, in another style and with errors of another form (acr.md section 15).

import type { SignedRequest } from './acs3.ts';
import { findDenial, hasRegistryUser } from './alibaba-sessions.ts';
import type { AccessKey, AlibabaState } from './alibaba-state.ts';
import { mintToken } from './alibaba-state.ts';
import type { ApiError } from './api-error.ts';
import { buildRequestId } from './api-error.ts';

/** `x-acs-version` of this API. */
export const PERSONAL_VERSION = '2016-06-07';

/** Whether a request means this API: by its version, or by its path. */
export function isPersonal(request: SignedRequest): boolean {
  return request.headers['x-acs-version'] === PERSONAL_VERSION || request.path === '/tokens';
}

/** Answers a call of a known key. Writes only the minted token. */
export function answerPersonal(
  request: SignedRequest,
  turn: {
    readonly state: AlibabaState;
    readonly key: AccessKey;
    readonly region: string;
    readonly now: number;
  },
): { readonly body: Readonly<Record<string, unknown>> } | { readonly error: ApiError } {
  const { state, key, region, now } = turn;
  const action = request.headers['x-acs-action'] ?? '';
  const isKnown =
    request.headers['x-acs-version'] === PERSONAL_VERSION && request.method === 'GET' && request.path === '/tokens';
  if (!isKnown) return refuse(404, 'InvalidApi.NotFound', 'Specified api is not found.');
  if (action !== 'GetAuthorizationToken') return refuse(404, 'InvalidAction.NotFound', 'Specified api is not found.');
  const denied = findDenial(state, key, action);
  if (denied !== undefined) return refuse(403, denied, `User not authorized: cr:${action}.`);
  if (!hasRegistryUser(state, key)) return refuse(404, 'USER_NOT_EXIST', 'user is not exist.');
  const minted = mintToken(state, { regionId: region }, key, now);
  return {
    body: {
      data: { authorizationToken: minted.token, tempUserName: minted.username, expireDate: minted.expiresAt },
      requestId: buildRequestId(),
    },
  };
}

function refuse(status: number, code: string, message: string): { readonly error: ApiError } {
  return { error: { status, code, message } };
}
