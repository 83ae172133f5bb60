// Asks the APIs of the simulated Tencent Cloud without sockets.

import type { TencentRequest } from './tencent-client.ts';
import { buildTencentRequest } from './tencent-client.ts';
import type { Api } from './tencent-gateway.ts';
import { answerTencent } from './tencent-gateway.ts';
import { TENCENT_SAMPLE } from './tencent-sample.ts';
import type { TencentState } from './tencent-state.ts';
import { buildTencentState } from './tencent-state.ts';
import { STS } from './tencent-sts.ts';
import { TCR } from './tencent-tcr.ts';

/** A whole second, at which it is 8 o'clock in China. */
export const NOW = Date.parse('2026-01-01T00:00:00Z');

/** The id of the sample's instance. */
export const RegistryId = TENCENT_SAMPLE.instance.registryId;

/** What stands under `Response`. */
export type Response = Readonly<Record<string, unknown>>;

/** A cloud with the whole sample. */
export function sampleState(): TencentState {
  const { user, key, cvmRole, webRole, otherRole, oidcProvider, instance, otherInstance, personalPasswords } =
    TENCENT_SAMPLE;
  return buildTencentState({
    ...{ users: [user], keys: [key], roles: [cvmRole, webRole, otherRole], oidcProviders: [oidcProvider] },
    ...{ instances: [instance, otherInstance], personalPasswords },
  });
}

/** Calls an action of tcr as the sample's user, unless told. */
export function askTcr(
  state: TencentState,
  action: string,
  body: TencentRequest['body'],
  change: Partial<TencentRequest> = {},
): Response {
  return ask(TCR, state, { service: 'tcr', action, now: NOW, key: TENCENT_SAMPLE.key, body: body ?? {}, ...change });
}

/** Calls an action of sts as the sample's user, unless told; without a key when `key` is undefined. */
export function askSts(
  state: TencentState,
  action: string,
  body: TencentRequest['body'],
  change: Omit<Partial<TencentRequest>, 'key'> & { readonly key?: TencentRequest['key'] | undefined } = {},
): Response {
  const { key = 'key' in change ? undefined : TENCENT_SAMPLE.key, ...rest } = change;
  const asked = { service: 'sts' as const, action, now: NOW, body: body ?? {}, ...rest };
  return ask(STS, state, { ...asked, ...(key === undefined ? {} : { key }) });
}

/** The code of a refusal; `undefined` for a success. */
export function codeOf(response: Response): string | undefined {
  return (response.Error as { Code?: string } | undefined)?.Code;
}

function ask(api: Api, state: TencentState, request: TencentRequest): Response {
  return answerTencent(api, state, buildTencentRequest(request), request.now).response;
}
