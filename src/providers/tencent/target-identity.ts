// What an item says of how we authenticate (tcr.md section 14).
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
  const tokenFile = map.text('tokenFile');
  // What it holds is sent to the cloud: no file but such as are made to be shown.
  if (
    tokenFile !== undefined &&
    !(tokenFile.startsWith(TOKEN_FOLDER) && /^(\/[\w.-]+)+$/.test(tokenFile) && !tokenFile.includes('..'))
  ) {
    map.report('tokenFile', `must be the path of a mounted token, below ${TOKEN_FOLDER}`, {
      value: tokenFile.slice(0, 160),
    });
  }
  return { providerId, roleArn: parseArn(map, 'roleARN'), tokenFile };
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
