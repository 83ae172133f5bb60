// The heap of instants against a plain map that does the same slowly.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DelayHeap } from '../../../src/controller/delay-heap.ts';

const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), key: keys, at: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), key: keys }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), now: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
  ),
  { maxLength: 120 },
);

test('sets, moves, removes and takes as a plain map does', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const heap = new DelayHeap();
      const model = new Map<string, number>();
      for (const step of script) {
        switch (step.kind) {
          case 'set':
            heap.set(step.key, step.at);
            model.set(step.key, step.at);
            break;
          case 'remove':
            heap.set(step.key, undefined);
            model.delete(step.key);
            break;
          case 'take': {
            const due = [...model].filter(([, at]) => at <= step.now);
            for (const [key] of due) model.delete(key);
            const instants = new Map(due);
            const taken = heap.take(step.now);
            expect([...taken].sort()).toEqual(due.map(([key]) => key).sort());
            // Earliest first; keys of the same instant in any order.
            const order = taken.map((key) => instants.get(key) ?? Number.NaN);
            expect(order).toEqual([...order].sort((a, b) => a - b));
            break;
          }
          case 'clear':
            heap.clear();
            model.clear();
        }
        expect(heap.firstAt).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        for (const key of ['a', 'b', 'c', 'd', 'e']) expect(heap.at(key)).toBe(model.get(key));
      }
    }),
    { numRuns: 300 },
  );
});

test('a key that is moved a hundred thousand times is still there once', () => {
  const heap = new DelayHeap();
  for (let index = 0; index < 100; index += 1) heap.set(`other-${index}`, 1e9 + index);
  for (let index = 0; index < 100_000; index += 1) heap.set('a', index % 7);
  expect(heap.take(10)).toEqual(['a']);
  expect(heap.firstAt).toBe(1e9);
});
