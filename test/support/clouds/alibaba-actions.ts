// The cr 2018-12-01 API without its sockets: from one request and the cloud's state to the answer that the real API
// would give (acr.md sections 14 and 21).

import { MAX_SKEW_MS, verifyAcs3 } from './acs3.ts';
import type { SignedRequest } from './acs3.ts';
import type { AccessKey, AlibabaState, Call, Instance } from './alibaba-state.ts';
import { mintToken } from './alibaba-state.ts';
import type { Answer, ApiError } from './api-error.ts';
import { buildErrorAnswer, buildJsonAnswer, buildRequestId } from './api-error.ts';

/** The decision on one call: the answer, what to record, and whether the caller proved who it is. */
export interface Outcome {
  readonly answer: Answer;
  readonly call: Call;
  readonly authenticated: boolean;
}

interface Turn {
  readonly state: AlibabaState;
  readonly key: AccessKey;
  readonly region: string;
  readonly parameters: URLSearchParams;
  readonly now: number;
}

type Result = { readonly body: Readonly<Record<string, unknown>> } | { readonly error: ApiError };

const VERSION = '2018-12-01';
const ACTIONS: Readonly<Record<string, (turn: Turn) => Result>> = {
  GetAuthorizationToken: getAuthorizationToken,
  ListInstanceEndpoint: listInstanceEndpoint,
};

/**
 * Answers one request of the cr API. Writes only to `state`: the used nonce and a minted token.
 * `region` is that of the host that was called; `undefined` means that the host is none of this API.
 */
export function answerCr(
  state: AlibabaState,
  request: SignedRequest,
  { region, now }: { readonly region: string | undefined; readonly now: number },
): Outcome {
  const parameters = new URLSearchParams(request.query);
  const caller = { host: request.headers.host ?? '', json: isJsonNegotiated(request, parameters) };
  const finish = (accessKeyId: string, authenticated: boolean, result: Result): Outcome => ({
    answer: 'error' in result ? buildErrorAnswer(result.error, caller) : buildJsonAnswer(200, result.body),
    authenticated,
    call: {
      action: request.headers['x-acs-action'] ?? '',
      instanceId: parameters.get('InstanceId') ?? '',
      region: region ?? '',
      accessKeyId,
      code: 'error' in result ? result.error.code : String(result.body.Code),
      at: now,
      url: request.query === '' ? request.path : `${request.path}?${request.query}`,
    },
  });

  const claimedKeyId = /Credential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (request.method !== 'GET' && request.method !== 'POST') {
    return finish(claimedKeyId, false, refuse(405, 'UnsupportedHTTPMethod', 'This http method is not supported.'));
  }
  if (region === undefined) {
    return finish(claimedKeyId, false, refuse(404, 'InvalidApi.NotFound', 'Specified api is not found on this host.'));
  }
  forgetOldNonces(state, now);
  const verdict = verifyAcs3(request, {
    now,
    findKey: (accessKeyId) => state.accessKeys.get(accessKeyId),
    isNonceUsed: (nonce) => state.nonces.has(nonce),
  });
  if (!verdict.ok) return finish(claimedKeyId, false, { error: verdict.error });
  const { key } = verdict;
  state.nonces.set(verdict.nonce, now);
  return finish(key.accessKeyId, true, act(request, { state, key, region, parameters, now }));
}

function act(request: SignedRequest, turn: Turn): Result {
  const name = request.headers['x-acs-action'] ?? '';
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (request.path !== '/' || request.headers['x-acs-version'] !== VERSION) {
    return refuse(404, 'InvalidApi.NotFound', 'Specified api is not found, please check your url and method.');
  }
  if (action === undefined) return refuse(404, 'InvalidAction.NotFound', 'Specified api is not found.');
  const denied = turn.key.denied?.[name];
  if (denied !== undefined) {
    return refuse(403, denied, `User not authorized to operate on the specified resource: cr:${name}.`);
  }
  return action(turn);
}

function getAuthorizationToken(turn: Turn): Result {
  const instance = findInstance(turn);
  if (!('instanceId' in instance)) return instance;
  const minted = mintToken(turn.state, instance, turn.key, turn.now);
  return succeed({
    TempUsername: minted.username,
    AuthorizationToken: minted.token,
    ExpireTime: minted.expiresAt,
  });
}

function listInstanceEndpoint(turn: Turn): Result {
  const instance = findInstance(turn);
  if (!('instanceId' in instance)) return instance;
  const module = turn.parameters.get('ModuleName') ?? 'Registry';
  if (module !== 'Registry' && module !== 'Chart') {
    return refuse(400, 'InvalidParameter', 'The specified parameter ModuleName is not valid.');
  }
  const { instanceName, regionId, userDomains = [], internetEnabled = true, linkedVpcIds = ['vpc-test01'] } = instance;
  const domain = (suffix: string) => `${instanceName}-${module.toLowerCase()}${suffix}.${regionId}.cr.aliyuncs.com`;
  const common = { Status: 'RUNNING', AclEnable: false, AclEntries: [] };
  return succeed({
    Endpoints: [
      {
        ...common,
        EndpointType: 'internet',
        Enable: internetEnabled,
        Domains: [
          { Domain: domain(''), Type: 'SYSTEM' },
          ...(module === 'Registry' ? userDomains : []).map((name) => ({ Domain: name, Type: 'USER' })),
        ],
        LinkedVpcs: [],
      },
      {
        ...common,
        EndpointType: 'vpc',
        Enable: linkedVpcIds.length > 0,
        Domains: [{ Domain: domain('-vpc'), Type: 'SYSTEM' }],
        LinkedVpcs: linkedVpcIds.map((id) => ({ VpcId: id })),
      },
    ],
  });
}

/** An instance is visible only in its own region and to its own account. */
function findInstance({ state, key, region, parameters }: Turn): Instance | Result {
  const instanceId = parameters.get('InstanceId') ?? '';
  if (instanceId === '') return refuse(400, 'MissingInstanceId', 'InstanceId is mandatory for this action.');
  const instance = state.instances.get(instanceId);
  if (instance?.regionId !== region || instance.accountId !== key.accountId) {
    return fail(state, 'INSTANCE_NOT_EXIST', 'The instance does not exist.');
  }
  if ((instance.status ?? 'RUNNING') === 'RUNNING') return instance;
  return fail(state, 'INSTANCE_STATUS_NOT_SUPPORT', 'The status of the instance does not support this action.');
}

function succeed(fields: Readonly<Record<string, unknown>>): Result {
  return { body: { RequestId: buildRequestId(), Code: 'success', IsSuccess: true, ...fields } };
}

/** A failure of the product behind the gateway: HTTP 200 with `IsSuccess: false`, or an HTTP status, as configured. */
function fail(state: AlibabaState, code: string, message: string): Result {
  if (state.unknownInstanceStatus !== 200) return refuse(state.unknownInstanceStatus, code, message);
  return { body: { RequestId: buildRequestId(), Code: code, IsSuccess: false } };
}

function refuse(status: number, code: string, message: string): { readonly error: ApiError } {
  return { error: { status, code, message } };
}

function isJsonNegotiated(request: SignedRequest, parameters: URLSearchParams): boolean {
  return (
    (request.headers.accept ?? '').includes('application/json') ||
    (parameters.get('Format') ?? '').toUpperCase() === 'JSON'
  );
}

/** A nonce only matters while a request of its date would still be accepted. */
function forgetOldNonces(state: AlibabaState, now: number): void {
  for (const [nonce, at] of state.nonces) {
    if (at >= now - 2 * MAX_SKEW_MS) return; // in order of use: the rest is younger
    state.nonces.delete(nonce);
  }
}
