// Texts with mistakes: what people, editors and copying do to YAML, from a seed, so that every run makes the same.

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TOKENS: readonly string[] = [
  ...['"', "'", '“', '”', ':', ': ', ',', '- ', '\n', '\n  ', '\n    ', '\t', '#', ' # ', '//', ' // c', '{', '}', '['],
  ...[
    ']',
    '|',
    '>',
    '|-\n',
    '&a',
    '*a',
    '!x ',
    '%',
    '@',
    '`',
    '?',
    '? ',
    '<<: ',
    '~',
    'null',
    'true',
    '---\n',
    '...\n',
  ],
  ...[
    '\u0000',
    '\ufeff',
    '\u2028',
    '\ud800',
    '：',
    '，',
    '\r\n',
    '\\',
    '=',
    '<cri>',
    '__proto__: ',
    'cri-a,cri-b',
    '0x',
    '1e9',
  ],
];

/** `text` after one to four mistakes; `others` are texts of which pieces may get in. */
export function mutate(text: string, random: () => number, others: readonly string[]): string {
  let mutated = text;
  for (let left = 1 + Math.floor(random() ** 2 * 4); left > 0; left -= 1) mutated = mutateOnce(mutated, random, others);
  return mutated;
}

function mutateOnce(text: string, random: () => number, others: readonly string[]): string {
  const at = Math.floor(random() * (text.length + 1));
  const piece = (from: string, most: number): string => {
    const start = Math.floor(random() * from.length);
    return from.slice(start, start + 1 + Math.floor(random() * most));
  };
  const token = TOKENS[Math.floor(random() * TOKENS.length)] ?? '';
  switch (Math.floor(random() * 12)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 12));
    case 2:
      return text.slice(0, at) + token + text.slice(at);
    case 3:
      return text.slice(0, at) + token + text.slice(at + 1);
    case 4:
      return text.slice(0, at);
    case 5:
      return text.slice(0, at) + piece(text, 40) + text.slice(at);
    case 6:
      return text.slice(0, at) + piece(others[Math.floor(random() * others.length)] ?? '', 60) + text.slice(at);
    default:
      return mutateLines(text, random);
  }
}

/** What happens to whole lines: moved to the right or left, swapped, joined, doubled, lost. */
function mutateLines(text: string, random: () => number): string {
  const lines = text.split('\n');
  const at = Math.floor(random() * lines.length);
  const line = lines[at] ?? '';
  switch (Math.floor(random() * 6)) {
    case 0:
      return lines.with(at, ' '.repeat(1 + Math.floor(random() * 4)) + line).join('\n');
    case 1:
      return lines.with(at, line.replace(/^ {1,3}/, '')).join('\n');
    case 2:
      return lines.toSpliced(at, 2, `${line} ${(lines[at + 1] ?? '').trim()}`).join('\n');
    case 3:
      return lines.toSpliced(at, 0, line).join('\n');
    case 4:
      return lines.toSpliced(at, 1).join('\n');
    default:
      return lines.toSpliced(at, 2, lines[at + 1] ?? '', line).join('\n');
  }
}
