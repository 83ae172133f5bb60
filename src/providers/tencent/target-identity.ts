// What an item says of how we authenticate (tcr.md section 14).
import { posix } from 'node:path';
import type { FieldReader } from '../../core/fields.ts';
import type { SecretReference } from '../../core/types.ts';
import type { TargetDefaults } from '../provider.ts';
import { parseSecretReference } from '../secret-reference.ts';
import type { AssumedRole } from './assume-role.ts';
import type { BaseIdentity, IdentityChoice } from './identities.ts';
import { DURATION_SECONDS } from './sts.ts';
import type { WebIdentityRole } from './web-identity.ts';

const SOURCES = ['auto', 'webIdentity', 'environment', 'file', 'cvmRole'] as const;

/** Where kubelet mounts tokens. */
const TOKEN_FOLDER = '/var/run/secrets/';

/** Where it mounts the token that the API server takes from us: it is shown to nobody else. */
const OWN_TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount/';

/** Longest path of a token, characters. */
const MAX_PATH = 1_024;

/** Shorter sessions would be renewed all the time, seconds. */
const MIN_SECONDS = 900;

const NO_SECRET: SecretReference = { namespace: '', name: '' };

/** Reads it; undefined after reporting what is wrong with the Secret. */
export function parseIdentityChoice(fields: FieldReader, defaults: TargetDefaults): IdentityChoice | undefined {
  const secret = parseSecretReference(fields, 'apiKeySecretRef', {
    defaults,
    fallback: NO_SECRET,
    cure: 'name a Secret with the keys `secret-id` and `secret-key`, e.g. `apiKeySecretRef: {name: tcr-api-key}`',
  });
  const source = parseSource(fields);
  const role = parseWebIdentity(fields);
  const assumedRole = parseAssumedRole(fields);
  if (secret === undefined) return undefined;
  const ignore = (field: string, used: string): void =>
    fields.report(field, `is ignored: ${used} is who we are; remove one of them`, { severity: 'warning' });
  if (secret !== NO_SECRET) {
    if (source !== undefined) ignore('identity', '`apiKeySecretRef`');
    if (role !== undefined) ignore('webIdentity', '`apiKeySecretRef`');
    return { base: { kind: 'secret', secret }, assumedRole };
  }
  if (role !== undefined && source !== undefined && source !== 'webIdentity') {
    ignore('webIdentity', `\`identity: ${source}\``);
  }
  return { base: baseOf(source ?? (role === undefined ? 'auto' : 'webIdentity'), role), assumedRole };
}

function baseOf(source: (typeof SOURCES)[number], role: WebIdentityRole | undefined): BaseIdentity {
  const fromEnvironment = { providerId: undefined, roleArn: undefined, tokenFile: undefined };
  switch (source) {
    case 'webIdentity':
      return { kind: 'web-identity', role: role ?? fromEnvironment };
    case 'cvmRole':
      return { kind: 'cvm-role' };
    case 'auto':
    case 'environment':
    case 'file':
      return { kind: source };
  }
}

function parseSource(fields: FieldReader): (typeof SOURCES)[number] | undefined {
  const text = fields.text('identity');
  if (text === undefined) return undefined;
  const source = SOURCES.find((known) => known.toLowerCase() === text.toLowerCase());
  if (source === undefined) {
    fields.report('identity', `must be one of ${SOURCES.map((known) => `\`${known}\``).join(', ')}`, {
      value: text.slice(0, 40),
    });
  }
  return source;
}

/** What pod identity of TKE puts into the environment, where it is to be something else. */
function parseWebIdentity(fields: FieldReader): WebIdentityRole | undefined {
  const map = fields.object('webIdentity');
  if (map === undefined) return undefined;
  const providerId = map.text('providerId');
  if (providerId !== undefined && !/^[\w.-]{1,128}$/.test(providerId)) {
    map.report('providerId', 'must be the name of the OIDC provider of the cluster in CAM', {
      value: providerId.slice(0, 160),
    });
  }
  return { providerId, roleArn: parseArn(map, 'roleARN'), tokenFile: parseTokenFile(map) };
}

/** What the file holds is sent to the cloud: it may only be a token that was mounted for others than the API server. */
function parseTokenFile(map: FieldReader): string | undefined {
  const written = map.text('tokenFile');
  if (written === undefined) return undefined;
  const path = posix.normalize(written);
  const report = (message: string): void => map.report('tokenFile', message, { value: written.slice(0, 160) });
  if (`${path}/`.startsWith(OWN_TOKEN_FOLDER)) {
    report(
      `must not be below ${OWN_TOKEN_FOLDER}: the token there is the controller’s own for the API server and is sent to no cloud; name the one that pod identity mounts`,
    );
  } else if (!path.startsWith(TOKEN_FOLDER) || !/^(\/[\w.-]+)+$/.test(written) || written.includes('..')) {
    report(`must be the path of a mounted token, below ${TOKEN_FOLDER}`);
  } else if (path.length > MAX_PATH) {
    report(`is longer than ${MAX_PATH} characters: mount the token elsewhere`);
  }
  return path;
}

function parseAssumedRole(fields: FieldReader): AssumedRole | undefined {
  const roleArn = parseArn(fields, 'assumeRoleARN');
  const externalId = fields.text('externalId');
  const text = fields.text('expireDuration');
  if (roleArn === undefined) {
    for (const [field, value] of [
      ['externalId', externalId],
      ['expireDuration', text],
    ] as const) {
      if (value === undefined) continue;
      fields.report(field, 'is of the session of `assumeRoleARN`, which is not set: ignored', { severity: 'warning' });
    }
    return undefined;
  }
  if (externalId !== undefined && !/^[\w+=,.@:/-]{2,128}$/.test(externalId)) {
    fields.report('externalId', 'must be 2 to 128 letters, digits and + = , . @ : / _ -');
  }
  const durationSeconds = text === undefined ? DURATION_SECONDS.default : Number(text);
  if (!Number.isInteger(durationSeconds) || durationSeconds < MIN_SECONDS || durationSeconds > DURATION_SECONDS.max) {
    const message = `must be a number of seconds from ${MIN_SECONDS} to ${DURATION_SECONDS.max}, at most the longest session of the role`;
    fields.report('expireDuration', message, { value: (text ?? '').slice(0, 40) });
  }
  return { roleArn, durationSeconds, externalId };
}

function parseArn(fields: FieldReader, name: string): string | undefined {
  const arn = fields.text(name);
  if (arn === undefined) return undefined;
  if (!/^qcs::cam::uin\/\d{1,20}:(roleName\/[\w+=,.@-]{1,128}|role\/[\w+=,.@/-]{1,160})$/.test(arn)) {
    fields.report(name, 'must be the ARN of a role: `qcs::cam::uin/<account id>:roleName/<name>`', {
      value: arn.slice(0, 160),
    });
  }
  return arn;
}
