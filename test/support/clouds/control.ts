// Lets another process (the demo, a shell) drive running simulators: a small JSON interface on loopback.
// `CONTROL_HELP` lists its calls.

import type { SignedRequest } from './acs3.ts';
import { METADATA_MODES } from './alibaba-metadata-answers.ts';
import type { MetadataSettings } from './alibaba-metadata-answers.ts';
import { mintSession } from './alibaba-sessions.ts';
import type { Answer } from './api-error.ts';
import { buildJsonAnswer } from './api-error.ts';
import type { Clouds } from './clouds.ts';
import type { Document, Route } from './control-routes.ts';
import { buildApiRoutes, buildPutRoute, readNumber, requireFields } from './control-routes.ts';
import { buildTencentRoutes, TENCENT_CONTROL_HELP } from './tencent-control.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
import { buildManagedRoleTokenSecret } from './managed-role-token.ts';
import type { RegistryUser } from './registry-auth.ts';

/** Every call of the control interface, one per line, for people. */
export const CONTROL_HELP = `\
GET    /endpoints                 where everything is
PUT    /clock                     {"offsetMs": 960000}: moves the clouds' clock against the real one

For <api> = alibaba/cr, alibaba/sts, alibaba/metadata, tencent/tcr, tencent/sts, tencent/metadata:
GET    /<api>/calls               what was called, with which outcome                     DELETE forgets it
GET    /<api>/faults              the rules in force                                      DELETE clears them
POST   /<api>/faults              {"fault": {"kind": "slow", "delayMs": 5000}, "times"?, and what it hits: "action"?,
                                  "instanceId"? (cr, tcr), "roleArn"? (sts), "path"? (metadata)}
POST   /<api>/down                refuse connections
POST   /<api>/up                  accept them again on the same port

Alibaba Cloud:
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

${TENCENT_CONTROL_HELP}
Answers 200 with JSON, 400 with {"error"} for a bad document, 404 for a bad path. Fields are checked for presence only.
`;

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
    ...buildApiRoutes('/alibaba/cr', cr),
    ...buildApiRoutes('/alibaba/sts', sts),
    ...buildApiRoutes('/alibaba/metadata', metadata),
    ['PUT /alibaba/cr/token-life', ({ document }) => cr.setTokenLife(readNumber(document, 'ms'))],
    ['PUT /alibaba/sts/session-life', ({ document }) => void (state.sessionLifeCapMs = readNumber(document, 'ms'))],
    ['PUT /alibaba/metadata', ({ document }) => metadata.change(parseMetadataSettings(document))],
    ['POST /alibaba/metadata/renew', () => metadata.renewSession()],
    ['PUT /alibaba/roles', buildPutRoute(state.roles, ['arn', 'trust'])],
    ['DELETE /alibaba/roles', ({ id }) => state.roles.delete(id)],
    ['PUT /alibaba/oidc-providers', buildPutRoute(state.oidcProviders, ['arn', 'issuer', 'clientIds', 'keys'])],
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
      buildPutRoute(state.accessKeys, ['accessKeyId', 'accessKeySecret', 'accountId'], { status: 'Active' }),
    ],
    ['DELETE /alibaba/keys', ({ id }) => state.accessKeys.delete(id)],
    ['PUT /alibaba/instances', buildPutRoute(state.instances, ['instanceId', 'instanceName', 'regionId', 'accountId'])],
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
    ...buildTencentRoutes(clouds.tencent),
    ['PUT /clock', ({ document }) => clouds.setClockOffset(readNumber(document, 'offsetMs'))],
  ]);
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

const NAMED = /^(\/(?:alibaba|tencent)\/(?:users|keys|instances|roles|oidc-providers))\/([^/]+)$/;

function parseDocument(body: Uint8Array): Document {
  const text = Buffer.from(body).toString('utf8');
  const value: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('Send a JSON object');
  return value as Document;
}

function parseMetadataSettings(document: Document): Partial<MetadataSettings> {
  const { mode } = document;
  if (mode !== undefined && !METADATA_MODES.some((known) => known === mode)) {
    throw new TypeError(`mode is one of ${METADATA_MODES.join(', ')}`);
  }
  return document;
}
