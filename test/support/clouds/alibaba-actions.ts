// The cr API without its sockets: from one request and the cloud's state to the answer that the real API would give
// (acr.md sections 14, 15 and 21).

import type { SignedRequest } from './acs3.ts';
import { authenticate, readClaimedKeyId } from './alibaba-authentication.ts';
import { answerPersonal, isPersonal } from './alibaba-personal.ts';
import { findDenial } from './alibaba-sessions.ts';
import type { AccessKey, AlibabaState, Call, Instance } from './alibaba-state.ts';
import { mintToken } from './alibaba-state.ts';
import type { Answer, ApiError, ErrorReader } from './api-error.ts';
import { buildErrorAnswer, buildJsonAnswer, buildRequestId, readErrorReader } from './api-error.ts';

/** The decision on one call: the answer, who reads an error in its place, what to record, and whether the caller proved who it is. */
export interface Outcome {
  readonly answer: Answer;
  readonly reader: ErrorReader;
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
  const negotiated = readErrorReader(request);
  const reader: ErrorReader = isPersonal(request) ? { ...negotiated, form: 'lower-case' } : negotiated;
  const finish = (accessKeyId: string, authenticated: boolean, result: Result): Outcome => ({
    answer: 'error' in result ? buildErrorAnswer(result.error, reader) : buildJsonAnswer(200, result.body),
    reader,
    authenticated,
    call: {
      action: request.headers['x-acs-action'] ?? '',
      instanceId: parameters.get('InstanceId') ?? '',
      region: region ?? '',
      accessKeyId,
      code: 'error' in result ? result.error.code : readCode(result.body),
      at: now,
      url: request.query === '' ? request.path : `${request.path}?${request.query}`,
    },
  });

  const claimedKeyId = readClaimedKeyId(request);
  if (request.method !== 'GET' && request.method !== 'POST') {
    return finish(claimedKeyId, false, refuse(405, 'UnsupportedHTTPMethod', 'This http method is not supported.'));
  }
  if (region === undefined) {
    return finish(claimedKeyId, false, refuse(404, 'InvalidApi.NotFound', 'Specified api is not found on this host.'));
  }
  const verdict = authenticate(state, request, now);
  if (!verdict.ok) return finish(claimedKeyId, false, { error: verdict.error });
  const { key } = verdict;
  const turn = { state, key, region, parameters, now };
  return finish(key.accessKeyId, true, isPersonal(request) ? answerPersonal(request, turn) : act(request, turn));
}

function act(request: SignedRequest, turn: Turn): Result {
  const name = request.headers['x-acs-action'] ?? '';
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (request.path !== '/' || request.headers['x-acs-version'] !== VERSION) {
    return refuse(404, 'InvalidApi.NotFound', 'Specified api is not found, please check your url and method.');
  }
  if (action === undefined) return refuse(404, 'InvalidAction.NotFound', 'Specified api is not found.');
  const denied = findDenial(turn.state, turn.key, name);
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

/** The Personal Edition says no code when it succeeds. */
function readCode(body: Readonly<Record<string, unknown>>): string {
  return typeof body.Code === 'string' ? body.Code : 'success';
}
