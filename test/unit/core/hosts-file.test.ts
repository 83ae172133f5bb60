// The block in a hosts file: what is ours is kept right, and no byte of anybody else's is ever lost.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  findConflicts,
  heldPairs,
  renderRoom,
  rewriteHosts,
  rewriteHostsInPlace,
  type HostsWish,
} from '../../../src/core/hosts-file.ts';
import { parsePair, renderPair, type HostPair } from '../../../src/core/host-names.ts';
import { BLOCK_BEGIN as BEGIN, BLOCK_END as END, ROOM } from '../../../src/core/hosts-survey.ts';

const A: HostPair = { domain: 'acme-prod.tencentcloudcr.com', ip: '10.20.0.7' };
const B: HostPair = { domain: 'acme-test.tencentcloudcr.com', ip: 'fd00::7' };
const OLD: HostPair = { domain: 'gone.tencentcloudcr.com', ip: '10.20.0.9' };
const LOCAL = '127.0.0.1 localhost\n';
const BLOCK_A = `${BEGIN}\n${renderPair(A)}\n${END}\n`;

const wish = (pairs: readonly HostPair[], memory: Partial<HostsWish> = {}): HostsWish => ({
  pairs,
  known: new Set(),
  isFirst: true,
  ...memory,
});

/** As a process that has kept the block for a while. */
const later = (pairs: readonly HostPair[], known: readonly HostPair[] = []): HostsWish =>
  wish(pairs, { isFirst: false, known: new Set(known.map(renderPair)) });

/** With as much room as it asks for. */
function inPlace(text: string, wanted: HostsWish, isLast = false): string {
  const first = rewriteHostsInPlace(text, { ...wanted, isLast });
  if ('text' in first) return first.text;
  const room = renderRoom(text, first.missing, '89abcdef');
  const second = rewriteHostsInPlace(text + room, { ...wanted, isLast, room });
  if ('missing' in second) throw new Error(`still ${second.missing} bytes are missing`);
  return second.text;
}

describe('the block', () => {
  test('[tcr H1] is one line a pair between two markers', () => {
    expect(rewriteHosts(LOCAL, wish([A])).text).toBe(`${LOCAL}${BLOCK_A}`);
  });

  test.each<[string, string, HostsWish, string]>([
    ['comes last', LOCAL, wish([A]), `${LOCAL}${BLOCK_A}`],
    ['comes first where the last line is unfinished', '127.0.0.1 a', wish([A]), `${BLOCK_A}127.0.0.1 a`],
    ['is all there is in an empty file', '', wish([A]), BLOCK_A],
    ['stays where it is', `${BLOCK_A}${LOCAL}`, wish([B]), `${BEGIN}\nfd00::7 ${B.domain}\n${END}\n${LOCAL}`],
    ['goes when nothing is wanted', `a\n${BLOCK_A}b`, wish([]), 'a\nb'],
    [
      'is sorted and holds each pair once',
      '',
      wish([B, A, B, A]),
      `${BEGIN}\n${renderPair(A)}\n${renderPair(B)}\n${END}\n`,
    ],
    ['is not written for nothing', LOCAL, wish([]), LOCAL],
    [
      'stays with its padding while its lines are right',
      `${BEGIN}\n${renderPair(A)}\n#   \n${END}\n`,
      wish([A]),
      `${BEGIN}\n${renderPair(A)}\n#   \n${END}\n`,
    ],
    [
      'gets the line end after its end that an editor took',
      `${LOCAL}${BLOCK_A}`.slice(0, -1),
      wish([A]),
      `${LOCAL}${BLOCK_A}`,
    ],
    ['gets plain line ends back', BLOCK_A.replaceAll('\n', '\r\n'), wish([A]), BLOCK_A],
  ])('%s', (_, text, wanted, expected) => {
    expect(rewriteHosts(text, wanted).text).toBe(expected);
  });

  test.each<[string, string]>([
    ['CRLF', '127.0.0.1 localhost\r\n10.0.0.1 nas\r\n'],
    ['no final newline', '127.0.0.1 localhost\n10.0.0.1 nas'],
    ['bytes that are no UTF-8', '127.0.0.1 localhost\n# caf\xe9 \xff\xfe\x00\n'],
    ['blank lines at the end', '127.0.0.1 localhost\n\n\n'],
    ['text that looks like our markers', `#${BEGIN}\n  ${END}\n# BEGIN\n`],
  ])('[tcr H5] leaves %s outside of it as it is, and takes itself away without a trace', (_, text) => {
    const { text: written } = rewriteHosts(text, wish([A, B]));
    expect(written.replace([BEGIN, renderPair(A), renderPair(B), END, ''].join('\n'), '')).toBe(text);
    expect(written).toHaveLength(text.length + rewriteHosts('', wish([A, B])).text.length);
    expect(rewriteHosts(written, wish([])).text).toBe(text);
  });
});

describe('[tcr H6] what was damaged is put right, and no line is lost', () => {
  test.each<[string, string, HostsWish, string, readonly string[]]>([
    [
      'a missing END',
      `${LOCAL}${BEGIN}\n${renderPair(A)}\n10.0.0.1 nas\n`,
      wish([A]),
      `${LOCAL}${BLOCK_A}10.0.0.1 nas\n`,
      ['BlockTorn'],
    ],
    [
      'a missing END after a line that may be somebody’s',
      `${BEGIN}\n${renderPair(OLD)}\n`,
      wish([A]),
      `${BLOCK_A}${renderPair(OLD)}\n`,
      ['BlockTorn'],
    ],
    [
      'a missing END after a line that was known',
      `${BEGIN}\n${renderPair(OLD)}\nx\n`,
      later([A], [OLD]),
      `${BLOCK_A}x\n`,
      ['BlockTorn'],
    ],
    ['a missing BEGIN', `${LOCAL}${renderPair(A)}\n${END}\nx\n`, wish([A]), `${LOCAL}${BLOCK_A}x\n`, ['BlockTorn']],
    ['a lonely END', `a\n${END}\nb`, wish([]), 'a\nb', ['BlockTorn']],
    ['two blocks', `${BLOCK_A}x\n${BLOCK_A}y\n`, wish([A]), `${BLOCK_A}x\ny\n`, ['BlockDoubled']],
    ['a block in a torn one', `${BEGIN}\nx\n${BLOCK_A}`, wish([A]), `x\n${BLOCK_A}`, ['BlockTorn']],
    [
      'a foreign line in it',
      `${BEGIN}\n10.0.0.1\tnas # mine\n${renderPair(A)}\n${END}\nx\n`,
      wish([A]),
      `${BLOCK_A}10.0.0.1\tnas # mine\nx\n`,
      ['ForeignLine'],
    ],
    [
      'a line of our form in it that this process never wrote',
      `${BEGIN}\n${renderPair(A)}\n${renderPair(OLD)}\n${END}\n`,
      later([A], [A]),
      `${BLOCK_A}${renderPair(OLD)}\n`,
      ['ForeignLine'],
    ],
    [
      'an older block that a careless tool brought back',
      `${BEGIN}\n${renderPair(OLD)}\n${END}\n`,
      later([A], [A, OLD]),
      BLOCK_A,
      [],
    ],
    [
      'halves of two blocks that became one, before this process saw the file',
      `${BEGIN}\n${renderPair(A)}\n10.0.0.9 nas\n192.168.1.1 router\n${renderPair(A)}\n${END}\n`,
      wish([A]),
      `${BLOCK_A}10.0.0.9 nas\n192.168.1.1 router\n`,
      ['ForeignLine', 'ForeignLine'],
    ],
    [
      'a line of a whole block that is no longer wanted, before this process saw the file',
      `${BEGIN}\n${renderPair(A)}\n${renderPair(OLD)}\n#  \n${END}\n`,
      wish([A]),
      BLOCK_A,
      ['LineDropped'],
    ],
    [
      'a missing END before blank lines and comments of somebody',
      `${BEGIN}\n${renderPair(A)}\n\n#\n\n10.0.0.9 nas\n`,
      wish([A]),
      `${BLOCK_A}\n#\n\n10.0.0.9 nas\n`,
      ['BlockTorn'],
    ],
    [
      'a missing END behind padding between lines of ours',
      `${BEGIN}\n#  \n${renderPair(A)}\n#  \nx\n`,
      wish([A]),
      `${BLOCK_A}#  \nx\n`,
      ['BlockTorn'],
    ],
    ['room that was left', `a\n${ROOM} 0123abcd   \nb\n`, wish([A]), `a\n${BLOCK_A}b\n`, []],
  ])('%s', (_, text, wanted, expected, reasons) => {
    const { text: written, remarks } = rewriteHosts(text, wanted);
    expect(written).toBe(expected);
    expect(remarks.map(({ reason }) => reason)).toEqual(reasons);
  });
});

describe('where the block goes, what may be ours but is not provably is left and named', () => {
  test.each<[string, string, HostsWish, string, readonly string[]]>([
    [
      'beside a line of somebody in the block',
      `${LOCAL}${BEGIN}\n${renderPair(A)}\n${renderPair(OLD)}\n10.0.0.1 nas nas2\n${END}\n`,
      wish([]),
      `${LOCAL}${renderPair(A)}\n${renderPair(OLD)}\n10.0.0.1 nas nas2\n`,
      [renderPair(A), renderPair(OLD)],
    ],
    [
      'but not what the list has',
      `${LOCAL}${BEGIN}\n${renderPair(A)}\n${renderPair(OLD)}\n10.0.0.1 nas nas2\n${END}\n`,
      wish([], { known: new Set([renderPair(A)]) }),
      `${LOCAL}${renderPair(OLD)}\n10.0.0.1 nas nas2\n`,
      [renderPair(OLD)],
    ],
    [
      'in a block without END, up to a line that is surely not ours',
      `${BEGIN}\n${renderPair(A)}\n#  \n${renderPair(OLD)}\n${LOCAL}10.0.0.1 nas\n`,
      wish([]),
      `${renderPair(A)}\n#  \n${renderPair(OLD)}\n${LOCAL}10.0.0.1 nas\n`,
      [renderPair(A), renderPair(OLD)],
    ],
    [
      'in a block without BEGIN',
      `10.0.0.1 nas\n${LOCAL}${renderPair(OLD)}\n${renderPair(A)}\n${END}\n`,
      wish([], { known: new Set([renderPair(A)]) }),
      `10.0.0.1 nas\n${LOCAL}${renderPair(OLD)}\n`,
      [renderPair(OLD)],
    ],
    [
      'not in a whole block that is a list as we write it',
      `${LOCAL}${BLOCK_A}10.0.0.1 nas\n`,
      wish([]),
      `${LOCAL}10.0.0.1 nas\n`,
      [],
    ],
    [
      'not by a process that knows what it wrote',
      `${BEGIN}\n10.0.0.1 nas\n${renderPair(A)}\n${END}\n`,
      later([], [A]),
      '10.0.0.1 nas\n',
      [],
    ],
  ])('%s', (_, text, wanted, expected, left) => {
    const { text: written, remarks } = rewriteHosts(text, wanted);
    expect(written).toBe(expected);
    expect(remarks.flatMap((one) => (one.reason === 'LineLeft' && 'line' in one ? one.line : []))).toEqual(left);
  });
});

describe('a file with very many lines', () => {
  const many = Array.from({ length: 150_000 }, (_, index) => `0.0.0.0  ${index}.example\n`);

  test('inside of the block keeps them, and names the first twenty, cut', () => {
    const { text, remarks } = rewriteHosts([`${BEGIN}\n`, ...many, `${END}\n`].join(''), wish([A]));
    expect(text === BLOCK_A + many.join('')).toBe(true);
    expect(remarks).toHaveLength(21);
    expect(remarks.at(-1)).toEqual({ reason: 'ForeignLine', more: many.length - 20 });
    const last = rewriteHosts(`${BEGIN}\n${'x'.repeat(1_000)}\n${END}\n`, wish([A])).remarks;
    expect(last).toEqual([{ reason: 'ForeignLine', line: 'x'.repeat(200) }]);
  });

  test('behind a torn block keeps them', () => {
    const { text } = rewriteHosts([`${BEGIN}\n${renderPair(A)}\n`, ...many].join(''), wish([A]));
    expect(text === BLOCK_A + many.join('')).toBe(true);
  });
});

describe('a file that keeps its length', () => {
  test('holds a shorter block with padding, which nobody reads', () => {
    const text = rewriteHosts(LOCAL, wish([A, B])).text;
    const written = inPlace(`${text}x\n`, wish([A]));
    expect(written).toMatch(new RegExp(`^${LOCAL}${BEGIN}\n${renderPair(A)}\n# *\n${END}\nx\n$`));
    expect(written).toHaveLength(text.length + 2);
    expect(heldPairs(written, wish([]))).toEqual([A]);
  });

  test('gets exactly the block when there was none', () => {
    expect(inPlace(LOCAL, wish([A]))).toBe(`${LOCAL}${BLOCK_A}`);
    expect(inPlace('127.0.0.1 a', wish([A]))).toMatch(
      new RegExp(`^${BEGIN}\n${renderPair(A)}\n(# *)?\n?${END}\n127.0.0.1 a$`),
    );
  });

  test('moves what was appended behind a block that grows', () => {
    expect(inPlace(`${BLOCK_A}x\n`, wish([A, B]))).toMatch(/ fd00::7.*x\n$|x\n$/s);
  });

  test('keeps the room of a block that goes, for the next one; at the very end only blanks', () => {
    const text = `${LOCAL}${BLOCK_A}x\n`;
    const left = inPlace(text, wish([]));
    expect(left).toMatch(new RegExp(`^${LOCAL}${ROOM} 00000000 *\nx\n$`));
    expect(inPlace(left, wish([]))).toBe(left);
    expect(inPlace(left, wish([A]))).toBe(text);
    expect(inPlace(left, wish([]), true)).toMatch(/^127.0.0.1 localhost\n *\nx\n$/);
    expect(inPlace(text, wish([]), true)).toMatch(/^127.0.0.1 localhost\n *\nx\n$/);
  });
});

describe('[tcr H7] a line outside of the block that names the same host', () => {
  const text = `10.0.0.1 a ACME-prod.TencentCloudCR.com # vendor\n# 10.0.0.2 ${A.domain}\n${BLOCK_A}10.20.0.7\t${A.domain}.\n`;

  test('is named with its line and its address, and left alone', () => {
    expect(rewriteHosts(text, wish([A])).text).toBe(text);
    expect(findConflicts(text, wish([A]))).toEqual([
      { domain: A.domain, ip: '10.0.0.1', line: 1 },
      { domain: A.domain, ip: '10.20.0.7', line: 6 },
    ]);
  });

  test('is none when the name is not wanted', () => {
    expect(findConflicts(text, wish([B]))).toEqual([]);
  });
});

describe('for any file and any list', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/);
  const pair = fc.record({ domain: label.map((one) => `${one}.example`), ip: fc.ipV4() });
  const pairs = fc.uniqueArray(pair, { maxLength: 5, selector: renderPair });
  const bytes = fc.uint8Array({ maxLength: 12 }).map((some) => Buffer.from(some).toString('latin1'));
  const line = fc.oneof(
    bytes,
    pair.map(renderPair),
    fc.constantFrom(BEGIN, END, `${BEGIN}\r`, `${ROOM} 0123abcd`, '#', '', '127.0.0.1 localhost'),
  );
  const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));
  /** Without anything that could be taken for ours. */
  const foreign = fc.array(bytes, { maxLength: 12 }).map((lines) => lines.join('\n'));
  const runs = { numRuns: 2_000 };

  const isPadding = (one: string): boolean => /^(# *)?$/.test(one);

  /**
   * Lines that are somebody else's, in their order: all but markers, room, and what is wanted; in a block padding, and pairs when it
   * is a sorted list of them; behind a lonely BEGIN padding in front of what is wanted.
   */
  function foreignLines(whole: string, wanted: readonly HostPair[] = []): readonly string[] {
    const lines = whole
      .replace(/\n$/, '')
      .split('\n')
      .slice(whole === '' ? 1 : 0)
      .map((one) => one.replace(/\r$/, ''));
    const isWanted = (one: string): boolean => wanted.some((some) => renderPair(some) === one);
    const isMarker = (one: string): boolean => [BEGIN, END].includes(one.trimEnd());
    const kept: string[] = [];
    for (let at = 0; at < lines.length;) {
      const next = lines.findIndex((one, index) => index > at && isMarker(one));
      const section = lines.slice(at + 1, next === -1 ? lines.length : next);
      const isOpen = lines[at]?.trimEnd() === BEGIN;
      if (!isMarker(lines[at] ?? '')) section.unshift(lines[at] ?? '');
      if (isOpen && next !== -1 && lines[next]?.trimEnd() === END) {
        const plain = section.filter((one) => !isPadding(one) && !one.startsWith(ROOM));
        const found = plain.map(parsePair);
        const keys = found.map((one) => (one === undefined ? '' : `${one.domain} ${one.ip}`));
        const isSorted = keys.every((key, index) => key !== '' && (index === 0 || key > (keys[index - 1] ?? '')));
        const isDense = section.slice(0, plain.length).every((one, index) => one === plain[index]);
        kept.push(...(isSorted && isDense ? [] : plain));
      } else {
        const end = section.findIndex((one) => !isPadding(one) && !isWanted(one) && !one.startsWith(ROOM));
        const reach = section.slice(0, end === -1 ? section.length : end).findLastIndex(isWanted);
        kept.push(...section.slice(isOpen ? reach + 1 : 0));
      }
      at = next === -1 ? lines.length : next;
    }
    return kept.filter((one) => !isWanted(one) && !one.startsWith(ROOM));
  }

  /** Without what fills a file up that keeps its length. */
  const plain = (lines: readonly string[]): readonly string[] => lines.filter((one) => !/^#? *$/.test(one));

  test('twice is once', () => {
    fc.assert(
      fc.property(text, pairs, (before, wanted) => {
        const once = rewriteHosts(before, wish(wanted)).text;
        expect(rewriteHosts(once, wish(wanted)).text).toBe(once);
        const kept = inPlace(before, wish(wanted));
        expect(inPlace(kept, wish(wanted))).toBe(kept);
      }),
      runs,
    );
  });

  test('the file has exactly the wanted lines between its markers, and one block at most', () => {
    fc.assert(
      fc.property(text, pairs, (before, wanted) => {
        for (const written of [rewriteHosts(before, wish(wanted)).text, inPlace(before, wish(wanted))]) {
          const lines = written.split('\n');
          const at = [lines.indexOf(BEGIN), lines.indexOf(END)] as const;
          const between = at[0] === -1 ? [] : lines.slice(at[0] + 1, at[1]).filter((one) => !/^(# *)?$/.test(one));
          expect([...between].sort()).toEqual(wanted.map(renderPair).sort());
          expect(lines.filter((one) => one === BEGIN)).toHaveLength(wanted.length > 0 ? 1 : 0);
        }
      }),
      runs,
    );
  });

  test('no foreign line is lost, doubled or brought out of order', () => {
    fc.assert(
      fc.property(text, pairs, (before, wanted) => {
        const theirs = foreignLines(before, wanted);
        const written = rewriteHosts(before, wish(wanted)).text;
        expect(foreignLines(written, wanted)).toEqual(theirs);
        expect(plain(foreignLines(inPlace(before, wish(wanted)), wanted))).toEqual(plain(theirs));
      }),
      runs,
    );
  });

  test('the order of the list does not matter', () => {
    fc.assert(
      fc.property(text, pairs, (before, wanted) => {
        const turned = [...wanted].reverse();
        expect(rewriteHosts(before, wish(turned)).text).toBe(rewriteHosts(before, wish(wanted)).text);
      }),
      runs,
    );
  });

  test('[tcr H5] a file with nothing of ours is the same to the byte when the block has come, changed and gone', () => {
    fc.assert(
      fc.property(foreign, pairs, pairs, (before, first, second) => {
        let written = before;
        for (const wanted of [first, second, []]) written = rewriteHosts(written, wish(wanted)).text;
        expect(written).toBe(before);
      }),
      runs,
    );
  });

  test('in place the length never shrinks, and grows only by what was appended', () => {
    fc.assert(
      fc.property(text, pairs, (before, wanted) => {
        const rewrite = rewriteHostsInPlace(before, wish(wanted));
        if ('text' in rewrite) expect(rewrite.text).toHaveLength(before.length);
        else expect(inPlace(before, wish(wanted)).length).toBeLessThanOrEqual(before.length + rewrite.missing + 1);
      }),
      runs,
    );
  });

  test('what is appended while room is made stays, behind everything that was there', () => {
    fc.assert(
      fc.property(foreign, pairs, pairs, (base, first, second) => {
        const before = inPlace(base, wish(first));
        const rewrite = rewriteHostsInPlace(before, wish(second));
        if ('text' in rewrite) return;
        const room = renderRoom(before, rewrite.missing, '89abcdef');
        const appended = before.endsWith('\n') || before === '' ? 'a b\n' : '\na b\n';
        const after = rewriteHostsInPlace(`${before}${appended}${room}c d\n`, { ...wish(second), room });
        if ('missing' in after) throw new Error('room is missing');
        expect(plain(foreignLines(after.text))).toEqual([...plain(foreignLines(base)), 'a b', 'c d']);
      }),
      runs,
    );
  });
});
