// The custom resource `ImagePullSecret` -> a rule. The two string lists keep the vendor's grammar exactly; all that is ours is optional.
import { MAX_NAME, resourceSecretName } from './names.ts';
import { isRecord } from './records.ts';
import type { ItemParser } from './registry-items.ts';
import { NO_ITEM_DEFAULTS } from './item-defaults.ts';
import { NO_NAMES, parseNamePatterns } from './scope.ts';
import { withoutKeys } from './secrecy.ts';
import { parseSelectorObject } from './selector-object.ts';
import type { CredentialRequest, Issue, LabelSelector, NamePatterns, Parsed, Rule, Scope } from './types.ts';
import { parseVendorNames } from './vendor-names.ts';

/** Provider of resources that bring their password along. */
export const RESOURCE_PROVIDER = 'image-pull-secret';

/** A resource, as far as it can be understood. */
export interface ParsedResource {
  /** undefined = which registry it means cannot be told: what was written for it stays as it is. */
  readonly rule: Rule | undefined;
  /** With errors in the name lists the rule still has those names that are some. */
  readonly issues: readonly Issue[];
}

/** True of a resource whose password the vendor's add-on knows no way to come by. */
export function mintsItsOwn({ rule }: Pick<ParsedResource, 'rule'>): boolean {
  return rule?.requests.every(({ provider }) => provider !== RESOURCE_PROVIDER) ?? false;
}

/** Longest `excludeNamespaces`, characters: each member that is none is an issue of its own. */
const MAX_EXCLUDED_TEXT = 32_768;

type Report = (issues: readonly Issue[]) => void;
type Fields = Readonly<Record<string, unknown>>;

/** Longest name of a resource, so that `tcr.ips<name>` is the name of a Secret (tcr.md section 3). */
export const MAX_RESOURCE_NAME = MAX_NAME - resourceSecretName('').length;

/** Fields of the provider `tcr` that the resource calls otherwise. */
const FIELD_PATHS: Readonly<Record<string, string>> = {
  regionId: 'spec.tcr.region',
  instanceId: 'spec.tcr.registryId',
};

/** Reads the `spec` of the resource `name`: every issue at once, with the path of its field. */
export function parseImagePullSecret(name: string, spec: unknown, parseItem: ItemParser): ParsedResource {
  const issues: Issue[] = [];
  const report: Report = (found) => void issues.push(...found.map(withoutKeys));
  const fields = isRecord(spec) ? spec : {};
  const nameIssue = `is too long: the Secret ${resourceSecretName('…')} allows ${MAX_RESOURCE_NAME} characters`;
  if (name.length > MAX_RESOURCE_NAME) report([{ severity: 'error', path: 'metadata.name', message: nameIssue }]);
  const scope = parseScope(fields, report);
  const request = parseRequest(name, fields, parseItem, report);
  if (request === undefined || scope === undefined || name.length > MAX_RESOURCE_NAME)
    return { rule: undefined, issues };
  const origin = `ImagePullSecret ${name}`;
  return { rule: { origin, secretName: resourceSecretName(name), scope, requests: [request] }, issues };
}

/** undefined = a selector cannot be read, without which it would mean more, or less, than was meant. */
function parseScope(fields: Fields, report: Report): Scope | undefined {
  const names = (
    field: 'namespaces' | 'serviceAccounts',
    selector: LabelSelector | undefined,
  ): NamePatterns | undefined => {
    const written = fields[field];
    const isAbsent =
      written === undefined || written === null || (typeof written === 'string' && written.trim() === '');
    // A selector alone selects; beside an absent list, which means any, it would add nothing.
    if (isAbsent && selector !== undefined) return NO_NAMES;
    const { patterns, issues, isReadable } = parseVendorNames(
      written,
      field === 'namespaces' ? 'namespace' : 'serviceAccount',
      `spec.${field}`,
    );
    report(issues);
    return isReadable ? patterns : undefined;
  };
  const selector = (field: string): Parsed<LabelSelector | undefined> => {
    const written = fields[field];
    return written === undefined || written === null
      ? { ok: true, value: undefined, issues: [] }
      : parseSelectorObject(written, `spec.${field}`);
  };
  const excluded = parseExcluded(fields.excludeNamespaces);
  const namespaceSelector = selector('namespaceSelector');
  const serviceAccountSelector = selector('serviceAccountSelector');
  const parts = [excluded, namespaceSelector, serviceAccountSelector];
  for (const { issues } of parts) report(issues);
  const ofNamespaces = names('namespaces', namespaceSelector.ok ? namespaceSelector.value : []);
  const ofAccounts = names('serviceAccounts', serviceAccountSelector.ok ? serviceAccountSelector.value : []);
  if (ofNamespaces === undefined || ofAccounts === undefined) return undefined;
  if (!excluded.ok || !namespaceSelector.ok || !serviceAccountSelector.ok) return undefined;
  return {
    namespaces: ofNamespaces,
    namespaceSelector: namespaceSelector.value,
    excludedNamespaces: excluded.value,
    serviceAccounts: ofAccounts,
    serviceAccountSelector: serviceAccountSelector.value,
  };
}

function parseExcluded(written: unknown): Parsed<NamePatterns> {
  const path = 'spec.excludeNamespaces';
  if (written === undefined || written === null || written === '') return { ok: true, value: NO_NAMES, issues: [] };
  const refuse = (message: string): Parsed<NamePatterns> => ({
    ok: false,
    issues: [{ severity: 'error', path, message }],
  });
  if (typeof written !== 'string') return refuse('must be text: names and patterns joined by commas');
  if (written.length > MAX_EXCLUDED_TEXT) return refuse(`is longer than ${MAX_EXCLUDED_TEXT} characters: use patterns`);
  return parseNamePatterns(written, path);
}

function parseRequest(
  name: string,
  fields: Fields,
  parseItem: ItemParser,
  report: Report,
): CredentialRequest | undefined {
  const docker = isRecord(fields.docker) ? fields.docker : {};
  const { tcr } = fields;
  if (tcr !== undefined && tcr !== null && !isRecord(tcr)) {
    report([{ severity: 'error', path: 'spec.tcr', message: 'must be a map of fields' }]);
    return undefined;
  }
  const isMinted = isRecord(tcr);
  const server = typeof docker.server === 'string' ? docker.server.trim() : '';
  const parsed = isMinted
    ? parseItem('tcr', { ...tcr, ...(server === '' ? {} : { domains: [server] }) }, NO_ITEM_DEFAULTS)
    : parseItem(RESOURCE_PROVIDER, { ...docker, resource: name }, NO_ITEM_DEFAULTS);
  if (parsed === undefined) {
    report([{ severity: 'error', path: 'spec', message: 'is not served by this version' }]);
    return undefined;
  }
  const elsewhere = server === '' ? FIELD_PATHS : { ...FIELD_PATHS, domains: 'spec.docker.server' };
  const pathOf = (path: string): string => (isMinted ? mintedPath(path, elsewhere) : `spec.docker.${path}`);
  report(parsed.issues.map((issue) => ({ ...issue, path: pathOf(issue.path) })));
  return parsed.ok ? parsed.value : undefined;
}

function mintedPath(path: string, elsewhere: Readonly<Record<string, string>>): string {
  const field = /^[^.[]*/.exec(path)?.[0] ?? '';
  return Object.hasOwn(elsewhere, field) ? (elsewhere[field] ?? '') + path.slice(field.length) : `spec.tcr.${path}`;
}
