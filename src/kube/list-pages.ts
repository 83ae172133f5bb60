// Reads a whole list page by page and keeps only the projection of each item: pages are large and must not outlive their turn.
import { KubeError } from '../core/errors.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient, KubeObject, Query } from './client.ts';

/** A list, read to its end at one resourceVersion. */
export interface Listed<P> {
  readonly items: readonly P[];
  readonly resourceVersion: string;
  readonly pages: number;
}

/** Items asked for at a time. */
const PAGE = 500;

/** Lists all of `path`; `project` drops an item by undefined. Throws KubeError, `Expired` when a page came too late. */
export async function listPages<P>(
  client: KubeClient,
  list: {
    readonly path: string;
    readonly query: Query;
    /** See `KubeCall`. */
    readonly accept?: string;
    readonly project: (object: unknown) => P | undefined;
    readonly onPage: () => void;
    readonly signal: AbortSignal;
  },
): Promise<Listed<P>> {
  const { path, query, accept, project, onPage, signal } = list;
  const items: P[] = [];
  let pages = 0;
  let resourceVersion: string;
  let next: string | undefined;
  do {
    const call = { method: 'GET', path, query: { ...query, limit: PAGE, continue: next }, signal } as const;
    const answer = await client.call(accept === undefined ? call : { ...call, accept });
    const page = readPage(path, answer);
    onPage();
    for (const object of page.items) {
      const item = project(object);
      if (item !== undefined) items.push(item);
    }
    pages += 1;
    ({ next, resourceVersion } = page);
  } while (next !== undefined);
  return { items, resourceVersion, pages };
}

interface Page {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly next: string | undefined;
}

function readPage(path: string, page: KubeObject): Page {
  const metadata = isRecord(page.metadata) ? page.metadata : {};
  const { resourceVersion, continue: next } = metadata;
  const items: unknown = page.items ?? [];
  if (typeof resourceVersion !== 'string' || !Array.isArray(items)) {
    throw new KubeError('BadAnswer', `GET ${path} answered something that is not a list`);
  }
  return { items, resourceVersion, next: typeof next === 'string' && next !== '' ? next : undefined };
}
