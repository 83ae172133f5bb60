// Shows what a rewrite would change, in the form that `diff -u` has.
import { linesOf } from './hosts-survey.ts';

/** Lines around a change. */
const CONTEXT = 3;

/**
 * A unified diff of one hunk from the first to the last line that differs; empty when none does. Texts have one character a byte
 * and are shown as UTF-8; characters that would steer a terminal are shown as `?`.
 */
export function renderDiff(file: string, from: string, to: string): string {
  if (from === to) return '';
  const [before, after] = [linesOf(from), linesOf(to)];
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start += 1;
  let same = 0;
  while (same < shortest - start && before[before.length - 1 - same] === after[after.length - 1 - same]) same += 1;
  const top = Math.max(0, start - CONTEXT);
  const tail = Math.min(same, CONTEXT);
  const range = (lines: readonly string[]): string => {
    const length = lines.length - same + tail - top;
    return `${length === 0 ? top : top + 1},${length}`;
  };
  return [
    `--- ${file}\n+++ ${file}\n@@ -${range(before)} +${range(after)} @@\n`,
    ...before.slice(top, start).map((line) => shown(' ', line)),
    ...before.slice(start, before.length - same).map((line) => shown('-', line)),
    ...after.slice(start, after.length - same).map((line) => shown('+', line)),
    ...after.slice(after.length - same, after.length - same + tail).map((line) => shown(' ', line)),
  ].join('');
}

function shown(sign: string, line: string): string {
  const decoded = new TextDecoder().decode(Uint8Array.from(line, (char) => char.charCodeAt(0)));
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  const plain = decoded.replace(/\n$/, '').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
  return `${sign}${plain}\n${line.endsWith('\n') ? '' : '\\ No newline at end of file\n'}`;
}
