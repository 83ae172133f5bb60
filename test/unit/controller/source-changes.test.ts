// A changed AccessKey or password is used at once, everywhere, and only by the leader.
import { describe, expect, test } from '@jest/globals';
import { createSourceChanges } from '../../../src/controller/source-changes.ts';
import type { CredentialRequest } from '../../../src/core/types.ts';

const request = (cacheKey: string): CredentialRequest => ({
  provider: 'static',
  target: {},
  cacheKey,
  hosts: ['r.example'],
});

function worldOf(
  options: {
    leading?: boolean;
    sources?: Record<string, string>;
    affected?: readonly string[];
    unverified?: readonly string[];
  } = {},
) {
  const sources: Record<string, string | undefined> = { ...options.sources };
  const asked: string[][] = [];
  let woken = 0;
  const changes = createSourceChanges({
    store: () => ({
      current: (cacheKey) => {
        const source = sources[cacheKey];
        return source === undefined
          ? undefined
          : {
              source,
              issuedAt: 0,
              expiresAt: undefined,
              endsAt: undefined,
              beganAt: undefined,
              id: undefined,
              hosts: undefined,
              warnings: [],
              identity: undefined,
            };
      },
      resolve: (wanted) => {
        asked.push(wanted.map((one) => one.request.cacheKey));
        return Promise.resolve(new Map());
      },
      secretChanged: () => options.affected ?? [],
      unverified: () => options.unverified ?? [],
    }),
    requests: () => [request('a'), request('b')],
    leading: () => options.leading ?? true,
    onOtherSource: () => (woken += 1),
  });
  return { changes, sources, asked, woken: () => woken };
}

describe('a changed Secret', () => {
  test('asks at once for what was made from it', () => {
    const { changes, asked } = worldOf({ affected: ['b'] });
    changes.onSourceChanged({ namespace: 'kube-system', name: 's' });
    expect(asked).toEqual([['b']]);
  });

  test('asks for nothing on a replica that does not lead', () => {
    const { changes, asked } = worldOf({ affected: ['b'], leading: false });
    changes.onSourceChanged({ namespace: 'kube-system', name: 's' });
    expect(asked).toEqual([]);
  });
});

describe('a settled fetch', () => {
  test('wakes every namespace when the credential is made from something else', () => {
    const { changes, sources, woken } = worldOf({ sources: { a: 'one' } });
    changes.verifyLoaded();
    sources.a = 'two';
    changes.onSettled('a');
    expect(woken()).toBe(1);
  });

  test('wakes nobody when only the token is new', () => {
    const { changes, woken } = worldOf({ sources: { a: 'one' } });
    changes.verifyLoaded();
    changes.onSettled('a');
    expect(woken()).toBe(0);
  });

  test('wakes everybody again when the credential was given up in between, and many others with it', () => {
    const { changes, sources, woken } = worldOf({ sources: { a: 'one', b: 'one' } });
    changes.verifyLoaded();
    sources.a = undefined;
    for (let at = 0; at < 1_000; at += 1) {
      sources[`other-${at}`] = 'one';
      changes.onSettled(`other-${at}`);
      sources[`other-${at}`] = undefined;
    }
    const before = woken();
    sources.a = 'one';
    changes.onSettled('b');
    expect(woken()).toBe(before);
    changes.onSettled('a');
    expect(woken()).toBe(before + 1);
  });

  test('wakes nobody when there is still nothing', () => {
    const { changes, woken } = worldOf();
    changes.onSettled('a');
    expect(woken()).toBe(0);
  });
});

test('what was loaded is compared with its Secrets, what is not held is not asked for', () => {
  const { changes, asked } = worldOf({ sources: { a: 'one' } });
  changes.verifyLoaded();
  expect(asked).toEqual([['a']]);
});

describe('what changed and could not be renewed', () => {
  test('is asked for again', () => {
    const { changes, asked } = worldOf({ unverified: ['b'] });
    changes.retryUnverified();
    expect(asked).toEqual([['b']]);
  });

  test('costs nothing when there is none', () => {
    const { changes, asked } = worldOf();
    changes.retryUnverified();
    expect(asked).toEqual([]);
  });
});
