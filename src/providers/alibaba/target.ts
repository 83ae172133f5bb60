// What an item of provider `acr` says: which registry, and how we authenticate for it (acr.md section 3).
import { readFields, type FieldReader } from '../../core/fields.ts';
import { isRegionId, REGION_CURE, TOKEN_MODE_CURE, tokenModeOf, type TokenMode } from '../../core/item-defaults.ts';
import { parseHosts } from '../../core/registry-host.ts';
import type { Parsed, SecretReference } from '../../core/types.ts';
import type { TargetDefaults } from '../provider.ts';
import { parseSecretReference } from '../secret-reference.ts';
import { ADDON_SECRET, type InlineKey } from './access-key.ts';
import type { AssumedRole } from './assume-role.ts';
import type { RrsaRole } from './rrsa.ts';

/** How we authenticate before another role is assumed. */
export type BaseIdentity =
  | { readonly kind: 'secret'; readonly secret: SecretReference }
  | { readonly kind: 'inline'; readonly pair: InlineKey }
  /** Half of a pair: fails, and no other item with it. */
  | { readonly kind: 'half'; readonly present: string; readonly missing: string }
  /** `mode` stands in where neither the item nor the environment names a role. */
  | { readonly kind: 'rrsa'; readonly role: RrsaRole; readonly mode: TokenMode }
  | { readonly kind: 'token-mode'; readonly mode: TokenMode };

/** One registry and how we authenticate for it. */
export interface AcrTarget {
  /** undefined = the Personal Edition. */
  readonly instanceId: string | undefined;
  /** undefined = the local one, which only the node knows. */
  readonly region: string | undefined;
  /** undefined = every domain there is. */
  readonly domains: readonly string[] | undefined;
  readonly base: BaseIdentity;
  readonly assumedRole: AssumedRole | undefined;
}

/** Session length of the last hop, seconds: what clouds accept, and the vendor's default. */
const DURATION_SECONDS = { min: 900, max: 43_200, default: 3_600 } as const;

/** Reads one item: every problem at once. */
export function parseAcrTarget(input: Readonly<Record<string, unknown>>, defaults: TargetDefaults): Parsed<AcrTarget> {
  const fields = readFields(input);
  const instanceId = parseInstanceId(fields);
  const region = parseRegion(fields, defaults.region);
  const domains = parseDomains(fields);
  const base = parseBase(fields, defaults);
  const assumedRole = parseAssumedRole(fields);
  const issues = fields.issues();
  if (base === undefined || issues.some((issue) => issue.severity === 'error')) return { ok: false, issues };
  return { ok: true, value: { instanceId, region, domains, base, assumedRole }, issues };
}

function parseInstanceId(fields: FieldReader): string | undefined {
  const id = fields.text('instanceId');
  if (id === undefined) return undefined;
  const wrong = instanceIdIssue(id);
  if (wrong !== undefined) fields.report('instanceId', wrong, { value: id.slice(0, 80) });
  return id;
}

function instanceIdIssue(id: string): string | undefined {
  if (id.includes(',')) return 'names several instances: write one item for each, `- instanceId: cri-…`';
  if (/^crpi-/i.test(id)) {
    return 'is an instance of the new Personal Edition, which takes a fixed password: use `provider: static` with `domains` and `secretRef`';
  }
  return /^cri-[a-z0-9-]{1,60}$/.test(id)
    ? undefined
    : 'must be the id of an instance: `cri-` and lower-case letters and digits; leave it empty for the Personal Edition';
}

function parseRegion(fields: FieldReader, fallback: string | undefined): string | undefined {
  const own = fields.text('regionId');
  const written = own ?? fallback;
  const region = written?.toLowerCase();
  if (written !== undefined && region !== undefined && !isRegionId(region)) {
    const place = own === undefined ? ' (from the key `region` of the ConfigMap)' : '';
    fields.report('regionId', `${REGION_CURE}${place}`, { value: written.slice(0, 80) });
  }
  return region;
}

function parseDomains(fields: FieldReader): readonly string[] | undefined {
  const members = fields.list('domains');
  if (members === undefined) return undefined;
  const hosts = parseHosts(fields, 'domains', members);
  const fixed = hosts.filter((host) => host.startsWith('crpi-'));
  for (const host of fixed) {
    fields.report(
      'domains',
      'is of the new Personal Edition, which takes a fixed password: it is left out here; use `provider: static` for it',
      { value: host, severity: fixed.length === hosts.length ? 'error' : 'warning' },
    );
  }
  return hosts.filter((host) => !fixed.includes(host));
}

/** The first that applies: a pair of its own, RRSA, `tokenMode`. */
function parseBase(fields: FieldReader, defaults: TargetDefaults): BaseIdentity | undefined {
  const secret = parseOwnSecret(fields, defaults);
  const inline = parseInlinePair(fields);
  const role = parseRrsaRole(fields, defaults);
  const mode = parseTokenMode(fields, defaults.tokenMode);
  if (secret === 'wrong') return undefined;
  if (secret !== undefined) {
    if (inline !== undefined) {
      fields.report('customAccessKey', 'and `accessKeySecretRef` are two keys: the Secret is used; remove this one', {
        severity: 'warning',
      });
    }
    return { kind: 'secret', secret };
  }
  if (inline !== undefined) return inline;
  return role === undefined ? { kind: 'token-mode', mode } : { kind: 'rrsa', role, mode };
}

/** The Secret that the item names; `wrong` = it names one that it may not, which was reported. */
function parseOwnSecret(fields: FieldReader, defaults: TargetDefaults): SecretReference | 'wrong' | undefined {
  const secret = parseSecretReference(fields, 'accessKeySecretRef', {
    defaults,
    fallback: ADDON_SECRET,
    cure: 'name a Secret with the keys `access-key-id` and `access-key-secret`, e.g. `accessKeySecretRef: {name: acr-access-key}`',
  });
  // The fallback itself comes back when nothing is named: then `tokenMode` decides whether it is used.
  return secret === ADDON_SECRET ? undefined : (secret ?? 'wrong');
}

function parseInlinePair(fields: FieldReader): BaseIdentity | undefined {
  const accessKeyId = fields.text('customAccessKey');
  const accessKeySecret = fields.text('customAccessKeySecret');
  if (accessKeyId === undefined && accessKeySecret === undefined) return undefined;
  if (accessKeyId === undefined || accessKeySecret === undefined) {
    const names = ['customAccessKey', 'customAccessKeySecret'] as const;
    const [present, missing] = accessKeyId === undefined ? [names[1], names[0]] : names;
    fields.report(present, `is half of a pair: without ${missing} this item is not served; the others are`, {
      severity: 'warning',
    });
    return { kind: 'half', present, missing };
  }
  fields.report(
    'customAccessKeySecret',
    'stands in the configuration for everybody to read: put the pair into a Secret (`kubectl create secret generic acr-access-key --from-literal=access-key-id=… --from-literal=access-key-secret=…` in this namespace), write `accessKeySecretRef: {name: acr-access-key}` and remove both fields',
    { severity: 'warning' },
  );
  return { kind: 'inline', pair: { accessKeyId, accessKeySecret } };
}

function parseRrsaRole(fields: FieldReader, defaults: TargetDefaults): RrsaRole | undefined {
  const roleArn = parseArn(fields, 'rrsaRoleARN', 'role');
  const providerArn = parseArn(fields, 'rrsaOIDCProviderRoleARN', 'oidc-provider');
  if (!defaults.rrsaEnabled) {
    if (roleArn === undefined && providerArn === undefined) return undefined;
    fields.report('rrsaRoleARN', 'is ignored: RRSA is off; set the key `rrsa` of the ConfigMap to `enable: true`', {
      severity: 'warning',
    });
    return undefined;
  }
  return { roleArn, providerArn, serviceAccount: defaults.rrsaServiceAccount };
}

function parseAssumedRole(fields: FieldReader): AssumedRole | undefined {
  const roleArn = parseArn(fields, 'assumeRoleARN', 'role');
  const text = fields.text('expireDuration');
  if (roleArn === undefined) {
    if (text !== undefined) {
      fields.report('expireDuration', 'is the length of the session of `assumeRoleARN`, which is not set: ignored', {
        severity: 'warning',
      });
    }
    return undefined;
  }
  const seconds = text === undefined ? DURATION_SECONDS.default : Number(text);
  if (!Number.isInteger(seconds) || seconds < DURATION_SECONDS.min || seconds > DURATION_SECONDS.max) {
    const message = `must be a number of seconds from ${DURATION_SECONDS.min} to ${DURATION_SECONDS.max}, at most the role’s MaxSessionDuration`;
    fields.report('expireDuration', message, { value: (text ?? '').slice(0, 40) });
  }
  return { roleArn, durationSeconds: seconds };
}

function parseArn(fields: FieldReader, name: string, kind: 'role' | 'oidc-provider'): string | undefined {
  const arn = fields.text(name);
  if (arn === undefined) return undefined;
  if (!new RegExp(`^acs:ram::\\d{1,20}:${kind}/[\\w.@/-]{1,128}$`).test(arn)) {
    const form = kind === 'role' ? 'acs:ram::<account id>:role/<name>' : 'acs:ram::<account id>:oidc-provider/<name>';
    fields.report(name, `must be the ARN of a ${kind}: \`${form}\``, { value: arn.slice(0, 160) });
  }
  return arn;
}

function parseTokenMode(fields: FieldReader, fallback: TokenMode): TokenMode {
  const text = fields.text('tokenMode');
  if (text === undefined) return fallback;
  const mode = tokenModeOf(text);
  if (mode === undefined) fields.report('tokenMode', TOKEN_MODE_CURE, { value: text.slice(0, 40) });
  return mode ?? fallback;
}
