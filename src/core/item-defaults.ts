// The keys that items fall back to where they say nothing of their own.
import { readFields } from './fields.ts';
import { insideTypographicQuotes, TYPOGRAPHIC_QUOTES } from './quotes.ts';
import { isRecord } from './records.ts';
import type { Issue, ServiceAccountReference } from './types.ts';
import { lineOfField } from './yaml-lines.ts';
import { parseYaml } from './yaml.ts';

/** Which of Alibaba's roles of the cluster is used; `auto` goes by what is there (acr.md section 6). */
export type TokenMode = (typeof TOKEN_MODES)[number];

const TOKEN_MODES = ['auto', 'managedRole', 'workerRole'] as const;

/** What is said of a text that `tokenModeOf` does not know. */
export const TOKEN_MODE_CURE = 'must be `auto`, `managedRole` or `workerRole`';

/** What is said of a text for which `isRegionId` is false. */
export const REGION_CURE = 'must be the id of a region, e.g. `cn-hangzhou`';

/** The mode that a text means, in any case; undefined = none. */
export function tokenModeOf(text: string): TokenMode | undefined {
  return TOKEN_MODES.find((known) => known.toLowerCase() === text.toLowerCase());
}

/** Whether a text has the form of a region's id, in lower case: it becomes part of host names that are asked with a key. */
export function isRegionId(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+){1,5}$/.test(text) && text.length <= 40;
}

/** What the ConfigMap says for every item. */
export interface ItemDefaults {
  /** The local region: key `region`. */
  readonly region: string | undefined;
  /** Whether the RRSA fields of items count: key `rrsa`. */
  readonly rrsaEnabled: boolean;
  readonly tokenMode: TokenMode;
  /** The ServiceAccount whose token RRSA shows to the cloud: key `rrsa-service-account`; undefined = our own. */
  readonly rrsaServiceAccount: ServiceAccountReference | undefined;
}

/** What holds where the ConfigMap says nothing. */
export const NO_ITEM_DEFAULTS: ItemDefaults = {
  region: undefined,
  rrsaEnabled: false,
  tokenMode: 'auto',
  rrsaServiceAccount: undefined,
};

const SERVICE_ACCOUNT =
  /^(?:(?<own>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/)?(?<name>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;

const RRSA_CURE = 'write `enable: true` or `enable: false`';

/** Data of a ConfigMap. */
type ConfigData = Readonly<Record<string, string>>;
type Read = (key: string) => string | undefined;
type Report = (issues: readonly Issue[]) => void;

/**
 * Reads them: `read` gives the trimmed text of a key, `data` holds it as it was written; `namespace` is that of a ServiceAccount
 * without one.
 */
export function parseItemDefaults(
  { data, read, namespace }: { readonly data: ConfigData; readonly read: Read; readonly namespace: string },
  report: Report,
): ItemDefaults {
  return {
    region: parseRegion(read('region'), report),
    rrsaEnabled: parseRrsa(data.rrsa ?? '', report),
    tokenMode: parseTokenMode(read('tokenMode'), report),
    rrsaServiceAccount: parseServiceAccount(read('rrsa-service-account'), report, namespace),
  };
}

function parseRegion(text: string | undefined, report: Report): string | undefined {
  const region = text?.toLowerCase();
  if (region === undefined || isRegionId(region)) return region;
  // As it was written: a key that was pasted here is known by its letters' case, and then masked.
  report([{ severity: 'error', path: 'region', message: REGION_CURE, value: (text ?? '').slice(0, 80) }]);
  return undefined;
}

/** The nested map of the vendor: `enable: true`. */
function parseRrsa(written: string, report: Report): boolean {
  const inner = insideTypographicQuotes(written);
  if (inner !== undefined) report([{ severity: 'warning', path: 'rrsa', message: TYPOGRAPHIC_QUOTES }]);
  const text = inner ?? written;
  const parsed = parseYaml(text, 'rrsa', RRSA_CURE);
  report(parsed.issues);
  if (!parsed.ok || parsed.value === undefined || parsed.value === null) return false;
  if (!isRecord(parsed.value)) {
    const known = /^(?:enable\s*[:=]\s*)?["']?(true|false)["']?$/i.exec(text.trim())?.[1]?.toLowerCase();
    const correction = known === undefined ? {} : { correction: `enable: ${known}\n` };
    report([{ severity: 'error', path: 'rrsa', message: `must be a map: ${RRSA_CURE}`, line: 1, ...correction }]);
    return false;
  }
  const fields = readFields(parsed.value, 'rrsa');
  const isEnabled = fields.flag('enable') ?? false;
  report(
    fields.issues().map((issue) => {
      const line = lineOfField(text, issue.path.replace(/^rrsa\./, ''));
      return line === undefined ? issue : { ...issue, line };
    }),
  );
  return isEnabled;
}

function parseTokenMode(text: string | undefined, report: Report): TokenMode {
  const mode = tokenModeOf(text ?? 'auto');
  if (mode !== undefined) return mode;
  report([{ severity: 'error', path: 'tokenMode', message: TOKEN_MODE_CURE, value: (text ?? '').slice(0, 80) }]);
  return 'auto';
}

function parseServiceAccount(
  text: string | undefined,
  report: Report,
  namespace: string,
): ServiceAccountReference | undefined {
  if (text === undefined) return undefined;
  const { own, name } = SERVICE_ACCOUNT.exec(text)?.groups ?? {};
  if (name !== undefined) return { namespace: own ?? namespace, name };
  const message =
    'must be `name` or `namespace/name` of a ServiceAccount, e.g. `kube-system/aliyun-acr-credential-helper`';
  report([{ severity: 'error', path: 'rrsa-service-account', message, value: text.slice(0, 80) }]);
  return undefined;
}
