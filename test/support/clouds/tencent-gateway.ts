// What every API of Tencent Cloud does before and after its own work: envelope, signature, version, action, region, rate,
// members and rights (tcr.md sections 9, 10, 13 and 15). No socket.

import { randomUUID } from 'node:crypto';
import type { SignedRequest } from './acs3.ts';
import type { Answer, ApiError, ErrorReader } from './api-error.ts';
import { buildErrorAnswer, buildJsonAnswer } from './api-error.ts';
import { checkTimestamp, verifyTc3 } from './tc3.ts';
import { buildResource, findPolicy, isAllowed } from './tencent-cam.ts';
import type { Members, Parameters } from './tencent-members.ts';
import { readParameters } from './tencent-members.ts';
import { takeFromBucket } from './tencent-rates.ts';
import type { TencentKey, TencentState } from './tencent-state.ts';

/** One call of an action that may be carried out. `key` is undefined for an unsigned one. */
export interface Turn {
  readonly state: TencentState;
  readonly key: TencentKey | undefined;
  readonly region: string;
  readonly parameters: Parameters;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What an action comes to: members of `Response`, or a refusal. */
export type Result = { readonly body: Readonly<Record<string, unknown>> } | { readonly error: ApiError };

/** One action of an API. */
export interface Action {
  readonly members: Members;
  /** Calls in a second of one user. */
  readonly rate: number;
  /** Whether it may be called with `Authorization: SKIP`. */
  readonly unsigned?: true;
  /** What CAM is asked about, as the end of a resource; none for an action that needs no right of its own. */
  readonly resources: (parameters: Parameters) => readonly string[];
  readonly run: (turn: Turn) => Result;
}

/** One API. */
export interface Api {
  readonly service: 'tcr' | 'sts';
  readonly version: string;
  readonly isRegionRequired: boolean;
  readonly actions: Readonly<Record<string, Action>>;
}

/** One call for the record. Secrets are left out of `parameters`; `at` is epoch milliseconds. */
export interface TencentCall {
  readonly action: string;
  readonly region: string;
  readonly secretId: string;
  readonly instanceId: string;
  readonly roleArn: string;
  readonly parameters: Parameters;
  /** `success`, the code of the refusal, or `fault:<kind>`. */
  readonly code: string;
  readonly at: number;
}

/** A call after the gateway's checks: refused, or ready to be carried out, once. */
export interface Admission {
  readonly call: TencentCall;
  readonly reader: ErrorReader;
  /** Signature, or the right to have none, is proven. */
  readonly authenticated: boolean;
  run(): { readonly answer: Answer; readonly code: string };
}

const SECRET_MEMBERS: readonly string[] = ['WebIdentityToken', 'Password'];

/** Checks one request. What may be changed by it is changed by `run` alone. */
export function admit(api: Api, state: TencentState, request: SignedRequest, now: number): Admission {
  const { headers } = request;
  const reader: ErrorReader = { host: headers.host ?? '', form: state.variants.errors };
  const known = readLoosely(request.body);
  const call: TencentCall = {
    action: headers['x-tc-action'] ?? '',
    region: headers['x-tc-region'] ?? '',
    secretId: /Credential=([^/,\s]+)/.exec(headers.authorization ?? '')?.[1] ?? '',
    instanceId: textOf(known.RegistryId),
    roleArn: textOf(known.RoleArn),
    parameters: Object.fromEntries(Object.entries(known).filter(([name]) => !SECRET_MEMBERS.includes(name))),
    code: 'success',
    at: now,
  };
  const finish = (result: Result) => ({
    answer: 'error' in result ? buildErrorAnswer(result.error, reader) : buildResponse(result.body),
    code: 'error' in result ? result.error.code : 'success',
  });
  const caller = authenticate(api, { state, request, now });
  if ('error' in caller) return { call, reader, authenticated: false, run: () => finish(caller) };
  return {
    call,
    reader,
    authenticated: true,
    run: () => finish(act(api, { request, turn: { state, key: caller.key, region: call.region, now } })),
  };
}

/** Checks one request and carries it out: for tests without sockets. */
export function answerTencent(
  api: Api,
  state: TencentState,
  request: SignedRequest,
  now: number,
): { readonly answer: Answer; readonly code: string; readonly response: Readonly<Record<string, unknown>> } {
  const done = admit(api, state, request, now).run();
  const document = JSON.parse(done.answer.body) as { Response?: Record<string, unknown> };
  return { ...done, response: document.Response ?? {} };
}

function authenticate(
  api: Api,
  of: { readonly state: TencentState; readonly request: SignedRequest; readonly now: number },
): { readonly key: TencentKey | undefined } | { readonly error: ApiError } {
  const { state, request, now } = of;
  const { headers } = request;
  if (request.method !== 'POST') return refuse('UnsupportedProtocol', 'Only POST is supported.');
  if (request.path !== '/' || request.query !== '') return refuse('InvalidRequest', 'The path is / without a query.');
  if (!isHostOf(api.service, headers.host ?? '')) return refuse('NoSuchProduct', 'No such product on this host.');
  const contentType = headers['content-type'] ?? '';
  if (!/^application\/json(?:;|$)/.test(contentType)) return refuse('InvalidRequest', 'The content type is not JSON.');
  if (headers.authorization === 'SKIP' && api.actions[headers['x-tc-action'] ?? '']?.unsigned === true) {
    const error = checkTimestamp(headers['x-tc-timestamp'], now);
    return error === undefined ? { key: undefined } : { error };
  }
  return verifyTc3(request, { now, service: api.service, findKey: (secretId) => state.keys.get(secretId) });
}

function act(
  api: Api,
  { request, turn }: { readonly request: SignedRequest; readonly turn: Omit<Turn, 'parameters'> },
): Result {
  const { headers } = request;
  const { state, key, region, now } = turn;
  const name = headers['x-tc-action'];
  if (name === undefined) return refuse('MissingParameter', 'The request is missing a required parameter `Action`.');
  if (headers['x-tc-version'] === undefined) {
    return refuse('MissingParameter', 'The request is missing a required parameter `Version`.');
  }
  if (headers['x-tc-version'] !== api.version) return refuse('NoSuchVersion', 'The requested version does not exist.');
  const action = Object.hasOwn(api.actions, name) ? api.actions[name] : undefined;
  if (action === undefined) return refuse('InvalidAction', `The action is invalid or not found: ${name}.`);
  if (region === '' && api.isRegionRequired) {
    return refuse('MissingParameter', 'The request is missing a required parameter `Region`.');
  }
  if (region !== '' && !(state.regions.has(region) && isServedBy(headers.host ?? '', region)))
    return refuse('UnsupportedRegion', `No such region: ${region}.`);
  if (!takeFromBucket(state.buckets, { name: `${key?.uin ?? ''} ${name}`, rate: action.rate, now })) {
    const message = `Your request times exceed the frequency limit ${action.rate} for a second. Please retry later.`;
    return refuse('RequestLimitExceeded', message);
  }
  const parameters = readParameters(request.body, action.members);
  if (isRefusal(parameters)) return parameters;
  const denied =
    key === undefined ? undefined : findDenied(turn, key, { api, name, resources: action.resources(parameters) });
  return denied ?? action.run({ ...turn, parameters });
}

function findDenied(
  { state, region }: Pick<Turn, 'state' | 'region'>,
  key: TencentKey,
  asked: { readonly api: Api; readonly name: string; readonly resources: readonly string[] },
): Result | undefined {
  const operation = `${asked.api.service}:${asked.name}`;
  const policy = findPolicy(state, key.uin) ?? [];
  const denied = asked.resources
    .map((rest) => (rest.startsWith('qcs::') ? rest : buildResource(rest, { region, ownerUin: key.ownerUin })))
    .find((resource) => !isAllowed(policy, operation, resource));
  if (denied === undefined) return undefined;
  const message = `you are not authorized to perform operation (${operation})\nresource (${denied}) has no permission\n`;
  return refuse('UnauthorizedOperation', message);
}

/** `<svc>[.intl|.internal|.<region>].tencentcloudapi.com`, or loopback, with or without a port. */
export function isHostOf(service: string, host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  if (['127.0.0.1', 'localhost', `${service}.localhost`].includes(name)) return true;
  return new RegExp(`^${service}(?:\\.[a-z0-9-]+)*\\.tencentcloudapi\\.com$`).test(name);
}

/** Finance zones are separate: each needs its own host (tcr.md section 9). Loopback stands for every host. */
function isServedBy(host: string, region: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const isPublic = name.endsWith('.tencentcloudapi.com');
  const zone = name.split('.')[1] ?? '';
  return !isPublic || (zone.endsWith('-fsi') || region.endsWith('-fsi') ? zone === region : true);
}

/** Whether a value is a refusal; parameters never have that member, as no action does. */
function isRefusal(value: object): value is { readonly error: ApiError } {
  return 'error' in value;
}

function buildResponse(body: Readonly<Record<string, unknown>>): Answer {
  return buildJsonAnswer(200, { Response: { ...body, RequestId: randomUUID() } });
}

function readLoosely(body: Uint8Array): Parameters {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function refuse(code: string, message: string): { readonly error: ApiError } {
  return { error: { status: 200, code, message } };
}
