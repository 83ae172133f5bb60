// What the control interface can tell the simulated Tencent Cloud. `TENCENT_CONTROL_HELP` lists its calls.

import type { Document, Routes } from './control-routes.ts';
import { buildApiRoutes, buildPutRoute, readNumber, requireFields } from './control-routes.ts';
import type { TencentClouds } from './tencent-clouds.ts';
import { TENCENT_METADATA_MODES } from './tencent-metadata-answers.ts';
import type { TencentMetadataSettings } from './tencent-metadata-answers.ts';
import type { AnswerVariants } from './tencent-state.ts';

/** Every call of this part, one per line, for people. */
export const TENCENT_CONTROL_HELP = `\
Tencent Cloud:
PUT    /tencent/tcr/token-life    {"ms": 20000}: life of temporary tokens minted from now on
PUT    /tencent/tcr/longterm-life {"ms": 60000}: life of long-term tokens minted from now on
PUT    /tencent/tcr/deletion-delay {"ms": 5000}: how long a deleted token stays listed
PUT    /tencent/variants          {"instants"?: "ms", "ms-text", "seconds" or "seconds-text", "usernameAsNumber"?,
                                  "emptyLists"?: "null" or "empty", "errors"?: "response" or "legacy", "gzip"?: "asked", "always" or "never"}
GET    /tencent/tokens            the long-term tokens that are or were there, without their text
PUT    /tencent/sts/session-life  {"ms": 60000}: longest life of sessions of roles minted from now on, whatever is asked for
PUT    /tencent/metadata          {"mode": "normal", "no-role", "failed" or "expired", "roleArn"?, "sessionSeconds"?, …}
POST   /tencent/metadata/renew    hand out a new session of the role from now on
PUT    /tencent/users             add or replace {"uin", "ownerUin", "policy": [{"effect", "action": […], "resource": […]}]}
DELETE /tencent/users/<uin>
PUT    /tencent/keys              add or replace {"secretId", "secretKey", "uin", "ownerUin"}
DELETE /tencent/keys/<id>
PUT    /tencent/roles             add or replace {"arn", "roleId", "trust": [{"qcs": "qcs::cam::uin/…:root"}], "policy", …}
DELETE /tencent/roles/<arn>       the ARN with %2F for /
PUT    /tencent/oidc-providers    add or replace {"providerId", "ownerUin", "issuer", "clientIds", "keys": [a JWK, or a PEM public key]}
DELETE /tencent/oidc-providers/<id>
PUT    /tencent/instances         add or replace {"registryId", "registryName", "regionName", "ownerUin", "vpcLinks"?, …}
DELETE /tencent/instances/<id>
GET    /tencent/robots            the robots that are there, without their passwords
PUT    /tencent/personal          {"ownerUin", "password"}: the fixed password of the Personal Edition
GET    /tencent/registry-auth/calls who asked the registries' token endpoint for what      DELETE forgets it
POST   /tencent/registry-auth/down refuse connections, at the door of the registries too
POST   /tencent/registry-auth/up  accept them again on the same ports
`;

/** Builds the routes of this part. */
export function buildTencentRoutes(clouds: TencentClouds): Routes {
  const { state, tcr, sts, metadata, registryToken, registryChallenge } = clouds;
  return [
    ...buildApiRoutes('/tencent/tcr', tcr),
    ...buildApiRoutes('/tencent/sts', sts),
    ...buildApiRoutes('/tencent/metadata', metadata),
    ['PUT /tencent/tcr/token-life', ({ document }) => void (state.tokenLifeMs = readNumber(document, 'ms'))],
    ['PUT /tencent/tcr/longterm-life', ({ document }) => void (state.longTermLifeMs = readNumber(document, 'ms'))],
    ['PUT /tencent/tcr/deletion-delay', ({ document }) => void (state.deletionDelayMs = readNumber(document, 'ms'))],
    [
      'PUT /tencent/variants',
      ({ document }) => void (state.variants = { ...state.variants, ...parseVariants(document) }),
    ],
    ['GET /tencent/tokens', () => [...state.tokens.values()]],
    ['PUT /tencent/sts/session-life', ({ document }) => void (state.sessionLifeCapMs = readNumber(document, 'ms'))],
    ['PUT /tencent/metadata', ({ document }) => metadata.change(parseMetadata(document))],
    ['POST /tencent/metadata/renew', () => metadata.renewSession()],
    ['PUT /tencent/users', buildPutRoute(state.users, ['uin', 'ownerUin', 'policy'])],
    ['DELETE /tencent/users', ({ id }) => state.users.delete(id)],
    ['PUT /tencent/keys', buildPutRoute(state.keys, ['secretId', 'secretKey', 'uin', 'ownerUin'])],
    ['DELETE /tencent/keys', ({ id }) => state.keys.delete(id)],
    ['PUT /tencent/roles', buildPutRoute(state.roles, ['arn', 'roleId', 'trust', 'policy'])],
    ['DELETE /tencent/roles', ({ id }) => state.roles.delete(id)],
    [
      'PUT /tencent/oidc-providers',
      buildPutRoute(state.oidcProviders, ['providerId', 'ownerUin', 'issuer', 'clientIds', 'keys']),
    ],
    ['DELETE /tencent/oidc-providers', ({ id }) => state.oidcProviders.delete(id)],
    [
      'PUT /tencent/instances',
      buildPutRoute(state.instances, ['registryId', 'registryName', 'regionName', 'ownerUin']),
    ],
    ['DELETE /tencent/instances', ({ id }) => state.instances.delete(id)],
    ['GET /tencent/robots', () => [...state.robots.values()].map((robot) => ({ ...robot, password: undefined }))],
    [
      'PUT /tencent/personal',
      ({ document }) => {
        requireFields(document, ['ownerUin', 'password']);
        state.personalPasswords.set(String(document.ownerUin), String(document.password));
      },
    ],
    ['GET /tencent/registry-auth/calls', () => registryToken.calls()],
    ['DELETE /tencent/registry-auth/calls', () => registryToken.clearCalls()],
    ['POST /tencent/registry-auth/down', () => Promise.all([registryToken.down(), registryChallenge.down()])],
    ['POST /tencent/registry-auth/up', () => Promise.all([registryToken.up(), registryChallenge.up()])],
  ];
}

const VARIANTS: Readonly<Record<string, readonly unknown[]>> = {
  instants: ['ms', 'ms-text', 'seconds', 'seconds-text'],
  usernameAsNumber: [true, false],
  emptyLists: ['null', 'empty'],
  errors: ['response', 'legacy'],
  gzip: ['asked', 'always', 'never'],
};

function parseVariants(document: Document): Partial<AnswerVariants> {
  for (const [name, value] of Object.entries(document)) {
    const values = Object.hasOwn(VARIANTS, name) ? VARIANTS[name] : undefined;
    if (values === undefined) throw new TypeError(`a variant is one of ${Object.keys(VARIANTS).join(', ')}`);
    if (!values.includes(value)) throw new TypeError(`${name} is one of ${values.map(String).join(', ')}`);
  }
  return document;
}

function parseMetadata(document: Document): Partial<TencentMetadataSettings> {
  const { mode } = document;
  if (mode !== undefined && !TENCENT_METADATA_MODES.some((known) => known === mode)) {
    throw new TypeError(`mode is one of ${TENCENT_METADATA_MODES.join(', ')}`);
  }
  return document;
}
