// Cuts a watch into lines and reads them: one JSON object each.
import { isRecord, parseRecord } from '../core/records.ts';
import type { KubeObject } from './client.ts';

/** One event of a watch, understood as far as every kind is alike. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  /** `object` is a Status. */
  | { readonly type: 'ERROR'; readonly object: KubeObject };

/** Lines of a text that arrives in chunks, without empty ones; what follows the last line feed is a line too. */
export async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest: string[] = [];
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      // Joined only when the line is complete: a long line that comes in many chunks must not be copied for each.
      const whole = rest.length === 0 ? line : rest.join('') + line;
      rest = [];
      if (whole !== '') yield whole;
    }
    if (last !== '') rest.push(last);
  }
  if (rest.length > 0) yield rest.join('');
}

/** Reads one line; undefined = it is no event that we know. */
export function parseWatchEvent(line: string): WatchEvent | undefined {
  const parsed = parseRecord(line);
  if (parsed === undefined || !isRecord(parsed.object)) return undefined;
  const { type, object } = parsed;
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'ERROR') return { type, object };
  const resourceVersion = isRecord(object.metadata) ? object.metadata.resourceVersion : undefined;
  if (type !== 'BOOKMARK' || typeof resourceVersion !== 'string') return undefined;
  return { type, resourceVersion };
}
