// Several instances in one item, as the managed edition documents it (acr.md section 3).
import { foldName, readFields, textOf } from './fields.ts';
import type { Issue } from './types.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * One item for each id of a comma list in `instanceId`, each once; the item itself when there is no list. Explicit `domains` beside
 * a list are an error: nobody knows whose they are. `path` is that of the item.
 */
export function expandInstances(
  item: Fields,
  path: string,
): { readonly items: readonly Fields[]; readonly issues: readonly Issue[] } {
  const name = Object.keys(item).find((key) => foldName(key) === 'instanceid');
  const text = name === undefined ? '' : (textOf(item[name]) ?? '');
  if (name === undefined || !text.includes(',')) return { items: [item], issues: [] };
  const ids = [...new Set(readFields({ instanceId: text }).list('instanceId'))];
  if (ids.length === 0) return { items: [item], issues: [] };
  const hasDomains = readFields(item).list('domains') !== undefined;
  if (ids.length > 1 && hasDomains) {
    const message = 'cannot belong to several instances: write one item for each instance, with its own `domains`';
    return { items: [], issues: [{ severity: 'error', path: `${path}.domains`, message }] };
  }
  return { items: ids.map((id) => ({ ...item, [name]: id })), issues: [] };
}
