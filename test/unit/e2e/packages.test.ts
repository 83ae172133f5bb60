import { describe, expect, test } from '@jest/globals';
import { needsLoader } from '../../e2e/packages.ts';

/** The headers of an ELF program, of these types. */
function program(types: readonly number[]): Buffer {
  const size = 56;
  const buffer = Buffer.alloc(64 + types.length * size);
  buffer.writeBigUInt64LE(64n, 0x20);
  buffer.writeUInt16LE(size, 0x36);
  buffer.writeUInt16LE(types.length, 0x38);
  types.forEach((type, index) => buffer.writeUInt32LE(type, 64 + index * size));
  return buffer;
}

describe('a program', () => {
  test.each([
    ['with segments to load alone runs in an empty image', [1, 1, 4], false],
    ['that names a loader does not', [6, 3, 1], true],
  ])('%s', (_, types, needs) => {
    expect(needsLoader(program(types))).toBe(needs);
  });
});
