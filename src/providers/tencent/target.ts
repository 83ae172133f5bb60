// What an item of provider `tcr` says: which instance, what kind of credential, and how we authenticate for it (tcr.md section 12).
import { readFields, type FieldReader } from '../../core/fields.ts';
import { isRegionId } from '../../core/item-defaults.ts';
import { parseHosts } from '../../core/registry-host.ts';
import type { Parsed } from '../../core/types.ts';
import type { TargetDefaults } from '../provider.ts';
import type { IdentityChoice } from './identities.ts';
import { instanceNames, reportForeignDomains } from './instance-domains.ts';
import { parseIdentityChoice } from './target-identity.ts';

/**
 * What kind of credential: `temp` ends within the hour; `longterm` lives for ten years and `robot` for a week, and both are left
 * behind at the cloud until they are deleted there.
 */
export type CredentialMode = (typeof MODES)[number];

const MODES = ['temp', 'longterm', 'robot'] as const;

/** By which the instance is known. */
export type InstanceReference =
  | { readonly kind: 'id'; readonly registryId: string }
  /** In the order to try. */
  | { readonly kind: 'name'; readonly names: readonly string[] };

/** One instance, a kind of credential, and how we authenticate. */
export interface TcrTarget {
  readonly instance: InstanceReference;
  /** undefined = what the environment names; of an instance that is known by its name, where it is. */
  readonly region: string | undefined;
  /** undefined = every domain of the instance. */
  readonly domains: readonly string[] | undefined;
  readonly mode: CredentialMode;
  /** Of what is left behind at the cloud; undefined = the default. */
  readonly description: string | undefined;
  /** Namespaces of the registry that a service account may pull from, sorted; empty in every other mode. */
  readonly namespaces: readonly string[];
  readonly identity: IdentityChoice;
}

/** Most namespaces of one service account. */
const MAX_NAMESPACES = 100;

/** Longest description that the cloud takes, characters (tcr.md section 11). */
export const MAX_DESCRIPTION = 255;

/** Reads one item: every problem at once. */
export function parseTcrTarget(input: Readonly<Record<string, unknown>>, defaults: TargetDefaults): Parsed<TcrTarget> {
  const fields = readFields(input);
  const registryId = parseRegistryId(fields);
  const region = parseRegion(fields, defaults.region);
  const domains = parseDomains(fields);
  const mode = parseMode(fields);
  const instance = parseInstance(fields, { registryId, domains, mode });
  const description = parseDescription(fields, mode);
  const namespaces = parseNamespaces(fields, mode);
  const identity = parseIdentityChoice(fields, defaults);
  const issues = fields.issues();
  const hasErrors = issues.some((issue) => issue.severity === 'error');
  if (instance === undefined || identity === undefined || hasErrors) return { ok: false, issues };
  return { ok: true, value: { instance, region, domains, mode, description, namespaces, identity }, issues };
}

/** The text under `name`, or under its `alias`. */
function parseEither(
  fields: FieldReader,
  name: string,
  alias: string,
): { readonly field: string; readonly text: string } | undefined {
  const [text, other] = [fields.text(name), fields.text(alias)];
  if (text !== undefined && other !== undefined) {
    fields.report(alias, `means the same as ${name}: keep one of them`);
  }
  if (text !== undefined) return { field: name, text };
  return other === undefined ? undefined : { field: alias, text: other };
}

function parseRegistryId(fields: FieldReader): string | undefined {
  const written = parseEither(fields, 'registryId', 'instanceId');
  if (written === undefined) return undefined;
  if (!/^tcr-[a-z0-9]{1,60}$/.test(written.text)) {
    fields.report(written.field, 'must be the id of one instance: `tcr-` and lower-case letters and digits', {
      value: written.text.slice(0, 80),
    });
  }
  return written.text;
}

function parseRegion(fields: FieldReader, fallback: string | undefined): string | undefined {
  const own = parseEither(fields, 'regionId', 'region');
  const written = own?.text ?? fallback;
  const region = written?.toLowerCase();
  if (written !== undefined && region !== undefined && !isRegionId(region)) {
    const place = own === undefined ? ' (from the key `region` of the ConfigMap)' : '';
    fields.report(own?.field ?? 'regionId', `must be the id of a region, e.g. \`ap-guangzhou\`${place}`, {
      value: written.slice(0, 80),
    });
  }
  return region;
}

function parseDomains(fields: FieldReader): readonly string[] | undefined {
  const members = fields.list('domains');
  if (members === undefined) return undefined;
  const hosts = parseHosts(fields, 'domains', members);
  reportForeignDomains(fields, hosts);
  return hosts;
}

function parseMode(fields: FieldReader): CredentialMode {
  const text = fields.text('tokenMode');
  const mode = MODES.find((known) => known === (text ?? 'temp').toLowerCase());
  if (mode === undefined) {
    fields.report('tokenMode', 'must be `temp`, `longterm` or `robot`', { value: (text ?? '').slice(0, 40) });
  }
  return mode ?? 'temp';
}

function parseInstance(
  fields: FieldReader,
  {
    registryId,
    domains = [],
    mode,
  }: {
    readonly registryId: string | undefined;
    readonly domains: readonly string[] | undefined;
    readonly mode: CredentialMode;
  },
): InstanceReference | undefined {
  if (registryId !== undefined) return { kind: 'id', registryId };
  if (mode !== 'temp') {
    // What is left behind is found again by the instance that it is of: two items must not mean the same one without knowing.
    fields.report(
      'registryId',
      `is missing: \`tokenMode: ${mode}\` needs the id of the instance, \`registryId: tcr-…\``,
    );
    return undefined;
  }
  const names = instanceNames(domains);
  if (names.length > 0) return { kind: 'name', names };
  if (domains.some((host) => instanceNames([host]).length > 0)) {
    fields.report('domains', 'are of several instances: write one item for each, or `registryId: tcr-…`');
  } else {
    const cure = 'write `registryId: tcr-…`, or in `domains` the instance’s `<name>.tencentcloudcr.com`';
    fields.report('registryId', `is missing: ${cure}`);
  }
  return undefined;
}

function parseDescription(fields: FieldReader, mode: CredentialMode): string | undefined {
  const text = fields.text('description');
  if (text === undefined) return undefined;
  if (mode === 'temp') {
    fields.report('description', 'is of what stays at the cloud, and `tokenMode: temp` leaves nothing there: ignored', {
      severity: 'warning',
    });
    return undefined;
  }
  // eslint-disable-next-line no-control-regex -- what must not be in it
  if (/[\u0000-\u001f\u007f[\]]/.test(text)) {
    fields.report('description', 'must be one line without brackets, which mark whose it is');
  }
  if (text.length > MAX_DESCRIPTION) {
    fields.report('description', `is longer than the ${MAX_DESCRIPTION} characters that the cloud takes: shorten it`, {
      value: text.slice(0, 80),
    });
  }
  return text;
}

function parseNamespaces(fields: FieldReader, mode: CredentialMode): readonly string[] {
  const members = fields.list('namespaces') ?? [];
  if (mode !== 'robot') {
    if (members.length > 0) {
      fields.report('namespaces', `bounds \`tokenMode: robot\` alone: ignored with \`${mode}\``, {
        severity: 'warning',
      });
    }
    return [];
  }
  const cure = 'name the namespaces of the registry that may be pulled from, e.g. `namespaces: team-a,team-b`';
  if (members.length === 0) {
    fields.report('namespaces', `is missing: a service account is allowed namespace by namespace; ${cure}`);
  }
  if (members.length > MAX_NAMESPACES) fields.report('namespaces', `must be at most ${MAX_NAMESPACES}`);
  for (const member of members) {
    if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(member)) continue;
    fields.report('namespaces', `must be names of namespaces of the registry: ${cure}`, { value: member.slice(0, 80) });
  }
  return [...new Set(members)].sort();
}
