// Lets another process (the demo, a shell) drive running simulators: a small JSON interface on loopback.
//
//   GET    /endpoints                 where everything is (CloudEndpoints)
//   GET    /alibaba/cr/calls          [{action, instanceId, region, accessKeyId, code, at}]    DELETE forgets them
//   GET    /alibaba/cr/faults         the rules in force                                       DELETE clears them
//   POST   /alibaba/cr/faults         add a FaultRule: {"fault": {"kind": "slow", "delayMs": 5000}, "action"?, "instanceId"?, "times"?}
//   PUT    /alibaba/cr/token-life     {"ms": 20000}: life of tokens minted from now on
//   POST   /alibaba/cr/down, …/up     refuse connections; accept them again on the same port
//   PUT    /alibaba/keys              add or replace an AccessKey: {"accessKeyId", "accessKeySecret", "accountId", …}
//   DELETE /alibaba/keys/<id>
//   PUT    /alibaba/instances         add or replace an Instance: {"instanceId", "instanceName", "regionId", "accountId", …}
//   DELETE /alibaba/instances/<id>
//   GET    /registry-auth/calls       [{service, username, scopes, status, at}]                DELETE forgets them
//   PUT    /registry-auth/users       add or replace a RegistryUser: {"username", "password", "actions": ["pull", "push"]}
//   POST   /registry-auth/down, …/up
//   PUT    /clock                     {"offsetMs": 960000}: moves the clouds' clock against the real one
//
// Answers 200 with JSON, 400 with {"error"} for a bad document, 404 for a bad path. Fields are checked for presence only.

import type { SignedRequest } from './acs3.ts';
import type { AccessKey, Instance } from './alibaba-state.ts';
import type { Answer } from './api-error.ts';
import { buildJsonAnswer } from './api-error.ts';
import type { Clouds } from './clouds.ts';
import type { FaultRule } from './faults.ts';
import { FAULT_KINDS } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
import type { RegistryUser } from './registry-auth.ts';

type Document = Readonly<Record<string, unknown>>;
type Route = (call: { readonly document: Document; readonly id: string }) => unknown;

/** Starts the control interface of running clouds on 127.0.0.1, plain HTTP. */
export async function startControl(clouds: Omit<Clouds, 'stop'>, port = 0): Promise<Listener> {
  const routes = buildRoutes(clouds);
  return startListener({
    port,
    now: Date.now,
    handle: async (request) => ({ answer: await answer(routes, request) }),
  });
}

function buildRoutes(clouds: Omit<Clouds, 'stop'>): ReadonlyMap<string, Route> {
  const { cr, registryToken, state } = clouds;
  return new Map<string, Route>([
    ['GET /endpoints', () => clouds.endpoints()],
    ['GET /alibaba/cr/calls', () => cr.calls()],
    ['DELETE /alibaba/cr/calls', () => cr.clearCalls()],
    ['GET /alibaba/cr/faults', () => cr.faults.list()],
    ['DELETE /alibaba/cr/faults', () => cr.faults.clear()],
    ['POST /alibaba/cr/faults', ({ document }) => cr.faults.add(parseFaultRule(document))],
    ['PUT /alibaba/cr/token-life', ({ document }) => cr.setTokenLife(readNumber(document, 'ms'))],
    ['POST /alibaba/cr/down', () => cr.down()],
    ['POST /alibaba/cr/up', () => cr.up()],
    [
      'PUT /alibaba/keys',
      ({ document }) => {
        requireFields(document, ['accessKeyId', 'accessKeySecret', 'accountId']);
        const key = { status: 'Active', ...document } as unknown as AccessKey;
        state.accessKeys.set(key.accessKeyId, key);
      },
    ],
    ['DELETE /alibaba/keys', ({ id }) => state.accessKeys.delete(id)],
    [
      'PUT /alibaba/instances',
      ({ document }) => {
        requireFields(document, ['instanceId', 'instanceName', 'regionId', 'accountId']);
        const instance = document as unknown as Instance;
        state.instances.set(instance.instanceId, instance);
      },
    ],
    ['DELETE /alibaba/instances', ({ id }) => state.instances.delete(id)],
    ['GET /registry-auth/calls', () => registryToken.calls()],
    ['DELETE /registry-auth/calls', () => registryToken.clearCalls()],
    [
      'PUT /registry-auth/users',
      ({ document }) => {
        requireFields(document, ['username', 'password', 'actions']);
        registryToken.setUser(document as unknown as RegistryUser);
      },
    ],
    ['POST /registry-auth/down', () => registryToken.down()],
    ['POST /registry-auth/up', () => registryToken.up()],
    ['PUT /clock', ({ document }) => clouds.setClockOffset(readNumber(document, 'offsetMs'))],
  ]);
}

async function answer(routes: ReadonlyMap<string, Route>, request: SignedRequest): Promise<Answer> {
  const [, path = '', id = ''] = /^(\/alibaba\/(?:keys|instances))\/([^/]+)$/.exec(request.path) ?? ['', request.path];
  const route = routes.get(`${request.method} ${path}`);
  if (route === undefined) return buildJsonAnswer(404, { error: `No such call: ${request.method} ${request.path}` });
  try {
    return buildJsonAnswer(200, (await route({ document: parseDocument(request.body), id })) ?? {});
  } catch (error) {
    return buildJsonAnswer(400, { error: String(error) });
  }
}

function parseDocument(body: Uint8Array): Document {
  const text = Buffer.from(body).toString('utf8');
  const value: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('Send a JSON object');
  return value as Document;
}

function parseFaultRule(document: Document): FaultRule {
  const { fault } = document;
  const kind: unknown = typeof fault === 'object' && fault !== null && 'kind' in fault ? fault.kind : undefined;
  if (!FAULT_KINDS.some((known) => known === kind))
    throw new TypeError(`fault.kind is one of ${FAULT_KINDS.join(', ')}`);
  return document as unknown as FaultRule;
}

function readNumber(document: Document, name: string): number {
  const value = document[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`${name} must be a number`);
  return value;
}

function requireFields(document: Document, names: readonly string[]): void {
  const missing = names.filter((name) => document[name] === undefined);
  if (missing.length > 0) throw new TypeError(`missing: ${missing.join(', ')}`);
}
