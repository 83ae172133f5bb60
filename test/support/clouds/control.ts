// Lets another process (the demo, a shell) drive running simulators: a small JSON interface on loopback.
// `CONTROL_HELP` lists its calls.

import type { SignedRequest } from './acs3.ts';
import { METADATA_MODES } from './alibaba-metadata-answers.ts';
import type { MetadataSettings } from './alibaba-metadata-answers.ts';
import { mintSession } from './alibaba-sessions.ts';
import type { AccessKey, Instance, Role } from './alibaba-state.ts';
import type { Answer } from './api-error.ts';
import { buildJsonAnswer } from './api-error.ts';
import type { Clouds } from './clouds.ts';
import type { FaultBook, FaultRule } from './faults.ts';
import { FAULT_KINDS } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
import { buildManagedRoleTokenSecret } from './managed-role-token.ts';
import type { OidcProvider } from './oidc-token.ts';
import type { RegistryUser } from './registry-auth.ts';

/** Every call of the control interface, one per line, for people. */
export const CONTROL_HELP = `\
GET    /endpoints                 where everything is
PUT    /clock                     {"offsetMs": 960000}: moves the clouds' clock against the real one

For <api> = cr, sts, metadata:
GET    /alibaba/<api>/calls       what was called, with which outcome                     DELETE forgets it
GET    /alibaba/<api>/faults      the rules in force                                      DELETE clears them
POST   /alibaba/<api>/faults      {"fault": {"kind": "slow", "delayMs": 5000}, "times"?, and what it hits: "action"?,
                                  "instanceId"? (cr), "roleArn"? (sts), "path"? (metadata)}
POST   /alibaba/<api>/down        refuse connections
POST   /alibaba/<api>/up          accept them again on the same port

PUT    /alibaba/cr/token-life     {"ms": 20000}: life of registry tokens minted from now on
PUT    /alibaba/sts/session-life  {"ms": 60000}: longest life of sessions of roles minted from now on, whatever is asked for
PUT    /alibaba/metadata          {"mode": "normal", "v1-only", "hardened", "no-role" or "limited", "roleArn"?, "regionId"?, …}
POST   /alibaba/metadata/renew    hand out a new session of the role from now on
PUT    /alibaba/keys              add or replace {"accessKeyId", "accessKeySecret", "accountId", …}
DELETE /alibaba/keys/<id>
PUT    /alibaba/roles             add or replace {"arn", "trust": [{"ram": "acs:ram::…"}], "maxSessionSeconds"?, "denied"?, …}
DELETE /alibaba/roles/<arn>       the ARN with %2F for /
PUT    /alibaba/oidc-providers    add or replace {"arn", "issuer", "clientIds", "keys": [a JWK, or a PEM public key]}
DELETE /alibaba/oidc-providers/<arn>
PUT    /alibaba/instances         add or replace {"instanceId", "instanceName", "regionId", "accountId", …}
DELETE /alibaba/instances/<id>
POST   /alibaba/managed-role-token {"roleArn", "seconds"}: answers the Secret that the control plane of ACK would write

GET    /registry-auth/calls       who asked the registry's token endpoint for what        DELETE forgets it
PUT    /registry-auth/users       add or replace {"username", "password", "actions": ["pull", "push"]}
POST   /registry-auth/down        refuse connections
POST   /registry-auth/up          accept them again on the same port

Answers 200 with JSON, 400 with {"error"} for a bad document, 404 for a bad path. Fields are checked for presence only.
`;

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
  const { cr, sts, metadata, registryToken, state } = clouds;
  return new Map<string, Route>([
    ['GET /endpoints', () => clouds.endpoints()],
    ...buildApiRoutes('cr', cr),
    ...buildApiRoutes('sts', sts),
    ...buildApiRoutes('metadata', metadata),
    ['PUT /alibaba/cr/token-life', ({ document }) => cr.setTokenLife(readNumber(document, 'ms'))],
    ['PUT /alibaba/sts/session-life', ({ document }) => void (state.sessionLifeCapMs = readNumber(document, 'ms'))],
    ['PUT /alibaba/metadata', ({ document }) => metadata.change(parseMetadataSettings(document))],
    ['POST /alibaba/metadata/renew', () => metadata.renewSession()],
    [
      'PUT /alibaba/roles',
      ({ document }) => {
        requireFields(document, ['arn', 'trust']);
        const role = document as unknown as Role;
        state.roles.set(role.arn, role);
      },
    ],
    ['DELETE /alibaba/roles', ({ id }) => state.roles.delete(id)],
    [
      'PUT /alibaba/oidc-providers',
      ({ document }) => {
        requireFields(document, ['arn', 'issuer', 'clientIds', 'keys']);
        const provider = document as unknown as OidcProvider;
        state.oidcProviders.set(provider.arn, provider);
      },
    ],
    ['DELETE /alibaba/oidc-providers', ({ id }) => state.oidcProviders.delete(id)],
    [
      'POST /alibaba/managed-role-token',
      ({ document }) => {
        const lifeSeconds = readNumber(document, 'seconds');
        const { roleArn } = document;
        if (typeof roleArn !== 'string' || !state.roles.has(roleArn)) throw new TypeError('roleArn is no known role');
        const session = mintSession(state, { roleArn, sessionName: 'managed', lifeSeconds, now: clouds.now() });
        return buildManagedRoleTokenSecret({ session });
      },
    ],
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

/** What every simulated API can be told. */
interface DrivenApi extends Pick<Listener, 'down' | 'up'> {
  readonly faults: FaultBook;
  calls(): readonly unknown[];
  clearCalls(): void;
}

function buildApiRoutes(name: string, api: DrivenApi): readonly (readonly [string, Route])[] {
  return [
    [`GET /alibaba/${name}/calls`, () => api.calls()],
    [`DELETE /alibaba/${name}/calls`, () => api.clearCalls()],
    [`GET /alibaba/${name}/faults`, () => api.faults.list()],
    [`DELETE /alibaba/${name}/faults`, () => api.faults.clear()],
    [`POST /alibaba/${name}/faults`, ({ document }) => api.faults.add(parseFaultRule(document))],
    [`POST /alibaba/${name}/down`, () => api.down()],
    [`POST /alibaba/${name}/up`, () => api.up()],
  ];
}

async function answer(routes: ReadonlyMap<string, Route>, request: SignedRequest): Promise<Answer> {
  const [, path = '', id = ''] = NAMED.exec(request.path) ?? ['', request.path];
  const route = routes.get(`${request.method} ${path}`);
  if (route === undefined) return buildJsonAnswer(404, { error: `No such call: ${request.method} ${request.path}` });
  try {
    return buildJsonAnswer(
      200,
      (await route({ document: parseDocument(request.body), id: decodeURIComponent(id) })) ?? {},
    );
  } catch (error) {
    return buildJsonAnswer(400, { error: String(error) });
  }
}

const NAMED = /^(\/alibaba\/(?:keys|instances|roles|oidc-providers))\/([^/]+)$/;

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

function parseMetadataSettings(document: Document): Partial<MetadataSettings> {
  const { mode } = document;
  if (mode !== undefined && !METADATA_MODES.some((known) => known === mode)) {
    throw new TypeError(`mode is one of ${METADATA_MODES.join(', ')}`);
  }
  return document;
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
