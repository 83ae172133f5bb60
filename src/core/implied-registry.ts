// Registries that the vendor's add-on serves although no list names them (acr.md section 2).
import type { ConfigData } from './managed-form.ts';
import { hasTypographicQuotes, TYPOGRAPHIC_QUOTES, withPlainQuotes } from './quotes.ts';
import type { Issue } from './types.ts';
import { isBlank } from './yaml.ts';

/** Keys that hold a list of registries of another form. */
const OTHER_LISTS: readonly string[] = ['registry-info', 'tcr-registry-info'];

const LEGACY_KEY = 'acr-registry';

/** The data with `acr-registry-info` as the vendor would have understood it, and what implied it. */
export interface ImpliedRegistry {
  readonly data: ConfigData;
  /** The key that implied the one item; undefined = no item was implied. */
  readonly impliedBy: string | undefined;
}

/**
 * Writes down what is implied: an empty `acr-registry-info`, or none beside `acr-api-version`, means the Personal Edition of the
 * local region, unless another list is there; the older `acr-registry` means it for the hosts that it names. An empty list beside
 * another one goes.
 */
export function writeImpliedRegistry(data: ConfigData, report: (issues: readonly Issue[]) => void): ImpliedRegistry {
  const list = data['acr-registry-info'];
  const hosts = legacyHosts(data[LEGACY_KEY] ?? '', report);
  if (list !== undefined && !isEmptyList(list)) {
    if (hosts.length > 0) {
      const message = 'is ignored beside `acr-registry-info`: write its hosts into the `domains` of an item there';
      report([{ severity: 'warning', path: LEGACY_KEY, message }]);
    }
    return { data, impliedBy: undefined };
  }
  const others = Object.fromEntries(Object.entries(data).filter(([key]) => key !== 'acr-registry-info'));
  if (hosts.length > 0) {
    report(enterpriseHosts(hosts));
    const domains = hosts.join(',');
    return {
      data: { ...others, 'acr-registry-info': JSON.stringify([{ instanceId: '', domains }]) },
      impliedBy: LEGACY_KEY,
    };
  }
  const isVendors = list !== undefined || (data['acr-api-version'] ?? '').trim() !== '';
  const hasOther = OTHER_LISTS.some((key) => !isBlank(data[key] ?? ''));
  if (!isVendors || hasOther) return { data: others, impliedBy: undefined };
  const impliedBy = list === undefined ? 'acr-api-version' : 'acr-registry-info';
  return { data: { ...others, 'acr-registry-info': JSON.stringify([{ instanceId: '' }]) }, impliedBy };
}

/** A list that holds nothing, however it says so. */
function isEmptyList(text: string): boolean {
  return isBlank(text) || /^\s*(null|~|""|'')\s*$/i.test(text);
}

function legacyHosts(text: string, report: (issues: readonly Issue[]) => void): readonly string[] {
  if (hasTypographicQuotes(text)) {
    report([{ severity: 'warning', path: LEGACY_KEY, message: TYPOGRAPHIC_QUOTES }]);
  }
  return withPlainQuotes(text)
    .trim()
    .replace(/^(["'])([^"']*)\1$/, '$2')
    .split(/[,\n]/)
    .map((member) => member.trim().replace(/^["'](.*)["']$/, '$1'))
    .filter((member) => member !== '');
}

function enterpriseHosts(hosts: readonly string[]): readonly Issue[] {
  const [first, ...more] = hosts.filter((host) => /\.cr\.aliyuncs\.com(:\d+)?$/i.test(host));
  if (first === undefined) return [];
  const others = more.length === 0 ? '' : `, and ${more.length} more like it`;
  const message = `is of the Enterprise Edition, which a token of the Personal Edition does not serve${others}: name its instance in \`acr-registry-info\``;
  return [{ severity: 'warning', path: LEGACY_KEY, message, value: first.slice(0, 80) }];
}
