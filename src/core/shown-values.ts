// What is said to people about keys that do not follow the values: both texts, and no secret.
import { CONFIG_KEYS } from './config.ts';
import { equalKey } from './managed-form.ts';
import { valuesAnnotation } from './names.ts';
import type { KeptKey } from './plan-values.ts';
import { maskKeys, mayHoldSecret, withoutSecrets } from './secrecy.ts';
import { parseYaml } from './yaml.ts';

/** Keys whose text is YAML, in which secrets stand under names. */
const YAML_KEYS: readonly string[] = [
  ...['registry-info', 'acr-registry-info', 'tcr-registry-info', 'rrsa', 'webhook-configuration'],
];

/** Most of a text that is shown, characters. */
const MAX_SHOWN = 160;
/** How much of what is equal stands before the first difference of long texts, characters. */
const BEFORE_DIFFERENCE = 20;

/** One sentence: a key that stays as it is, with its text and that of the values, secrets masked. */
export function keptSentence({ key, writtenAs, live, isBinary, value }: KeptKey): string {
  const name = writtenAs === undefined ? maskKeys(key) : `${maskKeys(writtenAs)}, another name of ${maskKeys(key)},`;
  const wanted = shown(key, value);
  if (isBinary) return `${name} is in binaryData and stays there; the values say ${quoted(wanted)}.`;
  if (live === undefined) return `${name} was deleted by hand and stays away; the values say ${quoted(wanted)}.`;
  const found = shown(key, live);
  if (found !== undefined && found === wanted) {
    return `${name} was edited by hand and stays; it differs from the values in what is not shown, or in its form: both read ${quoted(found)}.`;
  }
  const [one, other] = aroundDifference(found, wanted);
  return `${name} was edited by hand and stays: it reads ${quoted(one)}, the values say ${quoted(other)}.`;
}

/** One sentence: a ConfigMap that is not ours does not get these keys of the values. */
export function unusedSentence(
  keys: readonly string[],
  {
    instance,
    configMap,
  }: { readonly instance: string; readonly configMap: { readonly namespace: string; readonly name: string } },
): string {
  const { namespace, name } = configMap;
  return (
    `ConfigMap ${namespace}/${name} was not made from values, or was taken over by hand: it is never written, and these keys of the ` +
    `values are not used: ${keys.map(maskKeys).join(', ').slice(0, 300)}. Write them into it, or let it follow the values: ` +
    `kubectl -n ${namespace} annotate configmap ${name} '${valuesAnnotation(instance)}={}'`
  );
}

/** In one line; undefined = it is not to be shown. */
function shown(key: string, text: string): string | undefined {
  const known = equalKey(key) ?? key;
  // Under a name that nobody knows anything may stand.
  if (!CONFIG_KEYS.includes(known)) return undefined;
  if (!YAML_KEYS.includes(known)) return textOf(withoutSecrets(text.trim()));
  const parsed = parseYaml(text, key, '');
  if (!parsed.ok) return mayHoldSecret(text) ? undefined : text.trim();
  return parsed.value === undefined ? '' : textOf(withoutSecrets(parsed.value));
}

function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}

/** Two long texts from shortly before where they differ. */
function aroundDifference(
  one: string | undefined,
  other: string | undefined,
): readonly [string | undefined, string | undefined] {
  if (one === undefined || other === undefined || Math.min(one.length, other.length) <= MAX_SHOWN) return [one, other];
  let at = 0;
  while (one[at] === other[at]) at += 1;
  const from = Math.max(0, at - BEFORE_DIFFERENCE);
  return from === 0 ? [one, other] : [`…${one.slice(from)}`, `…${other.slice(from)}`];
}

function quoted(text: string | undefined): string {
  if (text === undefined) return 'what is not shown';
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
