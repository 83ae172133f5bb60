import { describe, expect, test } from '@jest/globals';
import { parseWatchEvent, splitLines } from '../../../src/kube/lines.ts';

async function linesOf(...chunks: string[]): Promise<string[]> {
  async function* stream(): AsyncGenerator<string> {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  const lines: string[] = [];
  for await (const line of splitLines(stream())) lines.push(line);
  return lines;
}

describe('lines', () => {
  test.each<[string, string[], string[]]>([
    ['come out of one chunk', ['a\nb\n'], ['a', 'b']],
    ['are put together from many chunks', ['a', 'b', 'c\nd', '\n'], ['abc', 'd']],
    ['may end with the stream', ['a\nb'], ['a', 'b']],
    ['are never empty', ['\n\na\n\n', '\n'], ['a']],
    ['are none in an empty stream', [], []],
  ])('%s', async (_sentence, chunks, expected) => {
    expect(await linesOf(...chunks)).toEqual(expected);
  });
});

describe('a line of a watch', () => {
  const object = { metadata: { resourceVersion: '7' } };
  test.each<[string, unknown, unknown]>([
    ['tells of an object', { type: 'ADDED', object }, { type: 'ADDED', object }],
    ['tells of an error', { type: 'ERROR', object }, { type: 'ERROR', object }],
    ['is a bookmark', { type: 'BOOKMARK', object }, { type: 'BOOKMARK', resourceVersion: '7' }],
    ['is unknown without an object', { type: 'ADDED' }, undefined],
    ['is unknown with another type', { type: 'OTHER', object }, undefined],
    ['is unknown as a bookmark without a version', { type: 'BOOKMARK', object: {} }, undefined],
    ['is unknown as a list', [], undefined],
  ])('%s', (_sentence, line, expected) => {
    expect(parseWatchEvent(JSON.stringify(line))).toEqual(expected);
  });

  test('is unknown when it is cut off', () => {
    expect(parseWatchEvent('{"type":"ADDED","obj')).toBeUndefined();
  });
});
