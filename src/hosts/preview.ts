// Says what the updater would write, and writes nothing.
import { closeSync } from 'node:fs';
import { findConflicts, heldPairs, rewriteHosts } from '../core/hosts-file.ts';
import { renderPair } from '../core/host-names.ts';
import { parseHostsItems, wantedPairs } from '../core/hosts-items.ts';
import type { HostsRemark } from '../core/hosts-survey.ts';
import { renderDiff } from '../core/text-diff.ts';
import { readList } from './config-folder.ts';
import { failureOf, openFile } from './file-access.ts';

/** What would be done, as texts for a person. */
export interface HostsPreview {
  /** False = the list cannot be used, or the file cannot be read: nothing is known. */
  readonly isKnown: boolean;
  /** Empty = nothing. */
  readonly diff: string;
  /** What is wrong or left alone. */
  readonly remarks: readonly string[];
}

/** Reads list and file once. `isRemoved` = the block is to go. Never throws. */
export function previewHosts({
  folder,
  file,
  isRemoved,
}: {
  readonly folder: string;
  readonly file: string;
  readonly isRemoved: boolean;
}): HostsPreview {
  const remarks: string[] = [];
  const list = readList(folder);
  const items = list.ok ? parseHostsItems(list.text) : undefined;
  if (!isRemoved) {
    if (!list.ok) remarks.push(list.why);
    for (const { severity, path, line, message, value } of items?.issues ?? []) {
      const place = line === undefined ? path : `${path} (line ${line})`;
      remarks.push(
        `${severity}: ${place}: ${message}${value === undefined ? '' : `; it reads ${JSON.stringify(value)}`}`,
      );
    }
  }
  const listed = items?.ok === true ? items.value : undefined;
  if (listed === undefined && !isRemoved) {
    return {
      isKnown: false,
      diff: '',
      remarks: [...remarks, 'the list cannot be used: the block would stay as it is'],
    };
  }
  try {
    const { fd, text } = openFile(file, 'read');
    closeSync(fd);
    // As the command does: of a damaged block what the list has is ours, also when it is to go.
    const memory = { known: new Set((listed?.pairs ?? []).map(renderPair)), isFirst: true };
    const wanted = listed === undefined || isRemoved ? [] : wantedPairs(listed, heldPairs(text, memory));
    const wish = { ...memory, pairs: wanted };
    const rewrite = rewriteHosts(text, wish);
    for (const remark of rewrite.remarks) {
      // The diff shows what is dropped.
      if (remark.reason !== 'LineDropped') remarks.push(describe(remark));
    }
    for (const { domain, ip, line } of findConflicts(rewrite.text, wish)) {
      remarks.push(`Conflict: line ${line}, outside of the block, gives ${domain} the address ${ip}; it would stay`);
    }
    return { isKnown: true, diff: renderDiff(file, text, rewrite.text), remarks };
  } catch (error) {
    return { isKnown: false, diff: '', remarks: [...remarks, failureOf(file, error).message] };
  }
}

function describe(remark: HostsRemark): string {
  const { reason } = remark;
  const fate = reason === 'LineLeft' ? 'stay although they may be ours' : 'be moved out of the block';
  if ('line' in remark) return `${reason}: ${JSON.stringify(remark.line)} would ${fate.replace('they', 'it')}`;
  return 'more' in remark ? `${reason}: ${remark.more} more lines would ${fate}` : reason;
}
