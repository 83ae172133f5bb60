// What is said about the configuration: sentences for its issues, lines, and one Event on the ConfigMap.
import { correctedKey } from '../core/corrections.ts';
import type { Issue } from '../core/types.ts';
import type { ConfigurationState } from '../kube/configuration.ts';
import type { Logger } from '../observability/logger.ts';
import type { EventReason } from './report.ts';

/** Posts an Event on the ConfigMap. */
export type RecordOnConfigMap = (type: 'Normal' | 'Warning', reason: EventReason, message: string) => void;

/** Longest message of an Event, characters: the API server's limit. */
const MAX_EVENT = 1_024;

/** One sentence for an issue, with its place and value. */
export function sentenceOf({ path, line, message, value }: Issue): string {
  const place = line === undefined ? path : `${path} (line ${line})`;
  const sentence = `${place === '' ? '' : `${place}: `}${message}${value === undefined ? '' : `; it reads ${JSON.stringify(value)}`}`;
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** Texts that are right, each under a line that says what it replaces; empty when no issue has one. */
export function correctionsOf(issues: readonly Issue[]): readonly string[] {
  return issues.flatMap(({ path, correction }) => (correction === undefined ? [] : [correctedKey(path, correction)]));
}

/** The text of an Event with the corrections that fit, or with where they are. */
export function withCorrections(text: string, corrections: readonly string[]): string {
  if (corrections.length === 0) return text;
  const full = [text, ...corrections].join('\n');
  if (full.length <= MAX_EVENT) return full;
  const short = `${text} The corrected text is in the log and in /readyz?verbose.`;
  return short.length <= MAX_EVENT ? short : text;
}

/** As many whole sentences as an Event holds (always the first two), and how many more there are. */
export function fitting(sentences: readonly string[]): string {
  const room = MAX_EVENT - ' … and 99999 more: see the log, or /readyz?verbose.'.length;
  const kept: string[] = [];
  let length = 0;
  for (const sentence of sentences) {
    length += sentence.length + 1;
    if (kept.length >= 2 && length > room) break;
    kept.push(sentence);
  }
  const left = sentences.length - kept.length;
  return [...kept, ...(left === 0 ? [] : [`… and ${left} more: see the log, or /readyz?verbose.`])].join(' ');
}

/** Tells what became of an edit: a line for each issue, and one Event that holds as many of them as fit. */
export function reportConfiguration(
  logger: Logger,
  onConfigMap: RecordOnConfigMap,
  state: ConfigurationState,
  wasBad: boolean,
): void {
  const errors = state.issues.filter((issue) => issue.severity === 'error');
  for (const issue of state.issues) {
    const level = issue.severity === 'error' ? 'error' : 'warn';
    logger[level]('Configuration has an issue', { ...issue });
  }
  if (state.status === 'valid') {
    logger.info('Applied the configuration', { rules: state.good?.rules.length });
    const warnings = state.issues.map(sentenceOf);
    if (warnings.length > 0) onConfigMap('Warning', 'ConfigApplied', fitting(['Applied, with remarks.', ...warnings]));
    else if (wasBad) onConfigMap('Normal', 'ConfigApplied', 'Applied: what was wrong before is right now.');
  } else if (state.status !== 'unknown') {
    const stays = state.good === undefined ? 'Nothing is done until it is right.' : 'The last good one stays in force.';
    logger.error('Configuration cannot be used', { status: state.status, lastGood: state.good !== undefined });
    const text = fitting([stays, ...errors.map(sentenceOf)]);
    onConfigMap('Warning', 'ConfigInvalid', withCorrections(text, correctionsOf(errors)));
  }
}
