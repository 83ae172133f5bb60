import { expect, test } from '@jest/globals';
import { createLimiter } from '../../../src/kube/limiter.ts';

/** A call that ends when told. */
function call(log: string[], name: string): { readonly run: () => Promise<string>; readonly end: () => void } {
  const ended = Promise.withResolvers<undefined>();
  return {
    run: async () => {
      log.push(name);
      await ended.promise;
      return name;
    },
    end: () => ended.resolve(undefined),
  };
}

test('runs no more than it may, urgent before normal, else in the order they came', async () => {
  const limiter = createLimiter(2);
  const log: string[] = [];
  const calls = ['n1', 'n2', 'n3', 'n4', 'u1', 'u2'].map((name) => ({ name, ...call(log, name) }));
  const running = calls.map(({ name, run }) => limiter.run(name.startsWith('u') ? 'urgent' : 'normal', run));
  await Promise.resolve();
  expect(log).toEqual(['n1', 'n2']);
  expect([limiter.running, limiter.waiting]).toEqual([2, 4]);
  for (const { end } of calls) end();
  expect(await Promise.all(running)).toEqual(['n1', 'n2', 'n3', 'n4', 'u1', 'u2']);
  expect(log).toEqual(['n1', 'n2', 'u1', 'u2', 'n3', 'n4']);
  expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
});

test('a call that fails makes room like any other, and its failure is passed on', async () => {
  const limiter = createLimiter(1);
  const failing = limiter.run('normal', () => Promise.reject(new Error('no')));
  const next = limiter.run('normal', () => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
