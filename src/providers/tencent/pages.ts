// Lists that come in pages: whole, or not at all (tcr.md section 11).
import { isRecord } from '../../core/records.ts';
import type { CloudAnswer } from './cloud-request.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Members of one page: what the cloud bears at most. */
const PAGE_SIZE = 100;

/** Most pages of one list: a bound for what an endless answer can cost. */
const MAX_PAGES = 100;

/** A whole list; `malformed` blames its last page. */
export interface WholeList {
  readonly items: readonly Fields[];
  readonly malformed: CloudAnswer['malformed'];
}

/** Every member under `list`, page by page; `TotalCount` says how many there are, and null means none. Throws ProviderError. */
export async function fetchPages(
  list: string,
  ask: (page: { readonly Offset: number; readonly Limit: number }) => Promise<CloudAnswer>,
): Promise<WholeList> {
  const items: Fields[] = [];
  for (let page = 1; ; page += 1) {
    const { response, malformed } = await ask({ Offset: items.length, Limit: PAGE_SIZE });
    const members: unknown = response[list] ?? [];
    if (!Array.isArray(members) || !members.every(isRecord)) throw malformed(list);
    items.push(...members);
    const total = Number(response.TotalCount ?? Number.NaN);
    const isWhole = Number.isInteger(total) ? items.length >= total : members.length < PAGE_SIZE;
    if (isWhole) return { items, malformed };
    // There should be more: what is missing must not count as absent.
    if (members.length === 0 || page === MAX_PAGES) throw malformed(list);
  }
}
