// The list `hosts.yaml` of the ConfigMap `updater-config` (tcr.md section 6) -> the pairs that the hosts file should hold.
import { readFields } from './fields.ts';
import {
  ADDRESS_FORM,
  HOST_NAME_FORM,
  isIpv6,
  parseAddress,
  parseHostName,
  sortPairs,
  type HostPair,
} from './host-names.ts';
import { isRecord } from './records.ts';
import type { Issue, Parsed } from './types.ts';
import { findLines } from './yaml-lines.ts';
import { parseYaml } from './yaml.ts';

/** Key of the list in the ConfigMap. */
export const HOSTS_KEY = 'hosts.yaml';

/** What the list says. */
export interface HostsItems {
  /** Sorted, each once. */
  readonly pairs: readonly HostPair[];
  /** Names whose item is wrong: what the file holds for them stays until the item is right. */
  readonly unclear: readonly string[];
}

/** Most items that are read: a bound for what a mistake can cost. */
const MAX_ITEMS = 1_000;

const CURE = 'write a list with one item a name: `- {domain: acme-prod.tencentcloudcr.com, ip: 10.20.0.7}`';

/**
 * Reads the list. An item that is wrong is one or more errors and is left out; the others apply. No value = the whole cannot be
 * used: no YAML, no list, nothing in it (`[]` says "nothing"), or only items that name nobody. Of two addresses of the same kind
 * for one name the first counts.
 */
export function parseHostsItems(text: string): Parsed<HostsItems> {
  const parsed = parseYaml(text, HOSTS_KEY, CURE);
  if (!parsed.ok) return parsed;
  if (parsed.value === undefined || parsed.value === null) {
    return failed('holds no item: write a YAML list, or `[]` to remove every line');
  }
  if (!Array.isArray(parsed.value) || parsed.value.length > MAX_ITEMS) {
    return failed(`must be a YAML list of at most ${MAX_ITEMS} items: ${CURE}`);
  }
  const lineOf = findLines(text);
  const issues: Issue[] = [];
  const unclear = new Set<string>();
  const chosen = new Map<string, HostPair>();
  let understood = 0;
  for (const [index, value] of (parsed.value as readonly unknown[]).entries()) {
    const item = parseItem(value, index);
    const pair = item.pair;
    if (pair !== undefined) {
      const kind = `${pair.domain} ${isIpv6(pair.ip) ? 'IPv6' : 'IPv4'}`;
      const first = chosen.get(kind) ?? pair;
      chosen.set(kind, first);
      if (first.ip !== pair.ip)
        item.report('ip', `${pair.domain} has ${first.ip} above, which counts: keep one of them`, pair.ip);
    }
    if (item.unclear !== undefined) unclear.add(item.unclear);
    if (item.isUnderstood || item.unclear !== undefined) understood += 1;
    for (const issue of item.issues()) {
      const line = lineOf(index, /\]\.([\w-]+)/.exec(issue.path)?.[1]);
      issues.push(line === undefined ? issue : { ...issue, line });
    }
  }
  if (parsed.value.length > 0 && understood === 0) return { ok: false, issues };
  return { ok: true, value: { pairs: sortPairs([...chosen.values()]), unclear: [...unclear].sort() }, issues };
}

/**
 * What the block should hold: the pairs of the list, and for names whose item is wrong what the block holds already, unless the
 * list has an address of the same kind for them.
 */
export function wantedPairs({ pairs, unclear }: HostsItems, held: readonly HostPair[]): readonly HostPair[] {
  const kept = held.filter(
    ({ domain, ip }) =>
      unclear.includes(domain) && !pairs.some((pair) => pair.domain === domain && isIpv6(pair.ip) === isIpv6(ip)),
  );
  return sortPairs([...pairs, ...kept]);
}

interface ReadItem {
  /** undefined = disabled, which needs no address, or wrong. */
  readonly pair: HostPair | undefined;
  /** The name of an item that is wrong. */
  readonly unclear: string | undefined;
  readonly isUnderstood: boolean;
  readonly report: (field: string, message: string, value: string) => void;
  readonly issues: () => readonly Issue[];
}

function parseItem(value: unknown, index: number): ReadItem {
  const path = `${HOSTS_KEY}[${index}]`;
  if (!isRecord(value)) {
    const issue: Issue = { severity: 'error', path, message: `must be a map with domain and ip: ${CURE}` };
    return { pair: undefined, unclear: undefined, isUnderstood: false, report: () => undefined, issues: () => [issue] };
  }
  const fields = readFields(value, path);
  const report: ReadItem['report'] = (field, message, found) =>
    fields.report(field, message, { value: found.slice(0, 80) });
  const isDisabled = fields.flag('disabled') ?? false;
  const domain = named('domain', parseHostName, HOST_NAME_FORM, true);
  const ip = named('ip', parseAddress, ADDRESS_FORM, !isDisabled);
  const isWrong = fields.issues().some(({ severity }) => severity === 'error');
  const isOn = !isWrong && !isDisabled && domain !== undefined && ip !== undefined;
  return {
    pair: isOn ? { domain, ip } : undefined,
    unclear: isWrong && !isDisabled ? domain : undefined,
    isUnderstood: !isWrong || (isDisabled && domain !== undefined),
    report,
    issues: () => fields.issues(),
  };

  function named(
    field: string,
    parse: (text: string) => string | undefined,
    form: string,
    isNeeded: boolean,
  ): string | undefined {
    const found = isNeeded ? fields.requiredText(field, form) : fields.text(field);
    const parsed = found === undefined ? undefined : parse(found);
    if (found !== undefined && parsed === undefined) report(field, form, found);
    return parsed;
  }
}

function failed(message: string): Parsed<HostsItems> {
  return { ok: false, issues: [{ severity: 'error', path: HOSTS_KEY, message, line: 1 }] };
}
