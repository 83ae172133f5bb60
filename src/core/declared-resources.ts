// The resources that a Secret of our own namespace declares, as text -> what each is to be. The flat form is that of the vendor's Helm
// values, unchanged (tcr.md section 7); the other one has a whole `spec`, with everything that is ours.
import { readFields } from './fields.ts';
import { MAX_RESOURCE_NAME, type ParsedResource } from './image-pull-secret.ts';
import { DECLARED_KEYS } from './names.ts';
import { isRecord } from './records.ts';
import { withoutKeys } from './secrecy.ts';
import type { Issue } from './types.ts';
import { isBlank, parseYaml } from './yaml.ts';

/** One resource as it is declared. */
export interface DeclaredResource {
  readonly name: string;
  /** The whole `spec`. May hold a password. */
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What the Secret says. */
export interface Declarations {
  /** Those that can be used, in their order. */
  readonly resources: readonly DeclaredResource[];
  /** Names of those that cannot: what was made of an earlier form stays. */
  readonly kept: ReadonlySet<string>;
  /** False = which others there are cannot be told: none is deleted. */
  readonly areAll: boolean;
  /** No value is quoted: it could be a password. */
  readonly issues: readonly Issue[];
  /** Every password that was found, also in items that cannot be used. Secret. */
  readonly passwords: readonly string[];
}

/** Most items that are read. */
const MAX_ITEMS = 1_000;

/** Where a field of the spec stands in the flat form. */
const FLAT_FIELDS: Readonly<Record<string, string>> = {
  'spec.docker.server': 'dockerServer',
  'spec.docker.username': 'dockerUsername',
  'spec.docker.password': 'dockerPassword',
  'spec.namespaces': 'namespaces',
  'spec.serviceAccounts': 'serviceAccounts',
};

const CURE = 'write a list of items, `[]` for none';

/** Reads a name of a resource's `spec` as the controller does. */
export type SpecParser = (name: string, spec: unknown) => ParsedResource;

/** Reads the data of the Secret. Never throws; what is wrong is an issue, and leaves everything else as it is. */
export function parseDeclarations(data: Readonly<Record<string, string>>, parseSpec: SpecParser): Declarations {
  const keys = DECLARED_KEYS.filter((key) => data[key] !== undefined);
  const [key = DECLARED_KEYS[0], other] = keys;
  if (other !== undefined) return unreadable(key, `and ${other} are two lists: keep one of them`);
  const text = data[key];
  if (text === undefined || isBlank(text)) return unreadable(key, `is missing or empty: ${CURE}`);
  const parsed = parseYaml(text, key, CURE);
  if (!parsed.ok) return { ...NONE, issues: parsed.issues.map(shown) };
  if (!Array.isArray(parsed.value)) return unreadable(key, `must be a list: ${CURE}`);
  if (parsed.value.length > MAX_ITEMS) return unreadable(key, `has more than ${MAX_ITEMS} items`);
  return gather(
    parsed.value.map((item: unknown, index) => parseItem(item, `${key}[${index}]`, parseSpec)),
    key,
  );
}

const NONE: Declarations = { resources: [], kept: new Set(), areAll: false, issues: [], passwords: [] };

function unreadable(path: string, message: string): Declarations {
  return { ...NONE, issues: [{ severity: 'error', path, message }] };
}

/** The place is told, and no more: whatever stands there could be a password. */
function shown({ severity, path, message, line }: Issue): Issue {
  return withoutKeys({ severity, path, message, ...(line === undefined ? {} : { line }) });
}

/** One item, as far as it can be understood. */
interface Item {
  /** undefined = it has none that could be one. */
  readonly name: string | undefined;
  /** undefined = it cannot be used. */
  readonly spec: DeclaredResource['spec'] | undefined;
  readonly issues: readonly Issue[];
  readonly passwords: readonly string[];
}

function gather(items: readonly Item[], key: string): Declarations {
  const resources = new Map<string, DeclaredResource>();
  const seen = new Set<string>();
  const kept = new Set<string>();
  const issues: Issue[] = [];
  for (const [index, { name, spec, issues: found }] of items.entries()) {
    issues.push(...found);
    if (name === undefined) continue;
    if (seen.has(name)) {
      const message = 'is the name of an earlier item, which counts: give this one another, or remove it';
      issues.push({ severity: 'error', path: `${key}[${index}].name`, message });
      continue;
    }
    seen.add(name);
    if (spec === undefined) kept.add(name);
    else resources.set(name, { name, spec });
  }
  return {
    resources: [...resources.values()],
    kept,
    areAll: items.every(({ name }) => name !== undefined),
    issues: issues.map(shown),
    passwords: items.flatMap((item) => item.passwords),
  };
}

function parseItem(item: unknown, path: string, parseSpec: SpecParser): Item {
  if (!isRecord(item)) {
    const issue = { severity: 'error', path, message: 'must be a map of fields' } as const;
    return { name: undefined, spec: undefined, issues: [issue], passwords: [] };
  }
  const { spec: whole, ...flat } = item;
  const fields = readFields(flat, path);
  const name = fields.requiredText('name', 'it becomes the name of the resource, e.g. tcr-a1b2c3d4-vpc');
  const isName = name !== undefined && isResourceName(name);
  if (name !== undefined && !isName) {
    const message = `must be a name as Kubernetes takes it: lower-case letters, digits, - and ., at most ${MAX_RESOURCE_NAME}`;
    fields.report('name', message);
  }
  const isFlat = whole === undefined;
  const spec = isFlat ? readFlat(fields) : readSpec(whole, flat, fields);
  const own = fields.issues();
  const understood =
    spec === undefined || !isName ? [] : parseSpec(name, spec).issues.map((issue) => placed(issue, path, isFlat));
  const issues = [...own, ...understood];
  const isUsable = isName && spec !== undefined && issues.every(({ severity }) => severity !== 'error');
  return {
    name: isName ? name : undefined,
    spec: isUsable ? spec : undefined,
    issues,
    passwords: passwordsOf(item),
  };
}

type Fields = ReturnType<typeof readFields>;

/** The vendor's form: flattened, all texts, `type` always `docker`. */
function readFlat(fields: Fields): DeclaredResource['spec'] {
  const type = fields.text('type');
  if (type !== undefined && type !== 'docker') fields.report('type', 'must be `docker`: no other kind is served');
  const username = fields.text('dockerUsername');
  // Tools that keep numbers as floating point write a UIN so.
  if (/^\d(\.\d+)?e\+?\d+$/i.test(username ?? '')) {
    fields.report('dockerUsername', 'was made a rounded number on its way here: put it into quotes');
  }
  const texts = {
    namespaces: fields.text('namespaces'),
    serviceAccounts: fields.text('serviceAccounts'),
  };
  const docker = { server: fields.text('dockerServer'), username, password: fields.text('dockerPassword') };
  return { ...present(texts), docker: present(docker) };
}

/** The whole spec, beside which nothing of it may stand. */
function readSpec(
  spec: unknown,
  beside: Readonly<Record<string, unknown>>,
  fields: Fields,
): DeclaredResource['spec'] | undefined {
  if (!isRecord(spec)) fields.report('spec', 'must be a map of fields');
  const twice = [...Object.values(FLAT_FIELDS), 'type'].filter((name) => beside[name] !== undefined);
  for (const name of twice) fields.report(name, 'has no place beside `spec`: write it there, or leave `spec` out');
  return isRecord(spec) && twice.length === 0 ? spec : undefined;
}

/** Where the person wrote it. */
function placed({ path, ...issue }: Issue, item: string, isFlat: boolean): Issue {
  const flat = Object.keys(FLAT_FIELDS).find((field) => path === field || path.startsWith(`${field}.`));
  const place = isFlat && flat !== undefined ? (FLAT_FIELDS[flat] ?? '') + path.slice(flat.length) : path;
  return { ...issue, path: `${item}.${place}` };
}

function passwordsOf(item: Readonly<Record<string, unknown>>): readonly string[] {
  const docker = isRecord(item.spec) && isRecord(item.spec.docker) ? item.spec.docker : {};
  const folded = Object.entries(item).flatMap(([key, value]) => (/pass/i.test(key) ? [value] : []));
  return [...folded, docker.password].flatMap((value) => (typeof value === 'string' ? [value, value.trim()] : []));
}

function present(texts: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])));
}

function isResourceName(name: string): boolean {
  return (
    name.length <= MAX_RESOURCE_NAME && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name)
  );
}
