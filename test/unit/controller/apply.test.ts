// A plan is carried out in an order that never leaves a dangling reference, and a failure stops only what depends on it.
import { describe, expect, test } from '@jest/globals';
import { applyPlan, type MakeWrite } from '../../../src/controller/apply.ts';
import { KubeError } from '../../../src/core/errors.ts';
import type { Write } from '../../../src/core/plan-types.ts';
import { createLimiter } from '../../../src/kube/limiter.ts';

const at = { namespace: 'shop', uid: 'u', resourceVersion: '1' } as const;
const content = { labels: {}, annotations: {}, dockerConfigJson: '{}' };
const create = (name: string): Write => ({
  kind: 'create-secret',
  namespace: 'shop',
  name,
  content,
  reason: 'SecretMissing',
});
const update = (name: string): Write => ({ kind: 'update-secret', ...at, name, content, reason: 'CredentialDue' });
const remove = (name: string): Write => ({ kind: 'delete-secret', ...at, name, reason: 'SecretUnwanted' });
const reference = (name: string, change: { added?: readonly string[]; removed?: readonly string[] }): Write => ({
  kind: 'patch-service-account',
  ...at,
  name,
  imagePullSecrets: ['foreign', ...(change.added ?? [])],
  recorded: change.added ?? [],
  added: change.added ?? [],
  removed: change.removed ?? [],
  reason: change.added === undefined ? 'ReferenceUnwanted' : 'ReferenceMissing',
});

/** Applies the writes; those named in `failures` fail. Returns what was tried, in order, and the outcome. */
async function apply(writes: readonly Write[], failures: Readonly<Record<string, Error>> = {}, signal?: AbortSignal) {
  const tried: string[] = [];
  const absorbed: string[] = [];
  const sent: Write[] = [];
  const makeWrite: MakeWrite = async (write) => {
    await Promise.resolve();
    sent.push(write);
    const label = `${write.kind} ${write.name}`;
    tried.push(label);
    const failure = failures[label];
    if (failure !== undefined) throw failure;
    return { label };
  };
  const outcome = await applyPlan(
    { writes },
    {
      makeWrite,
      lane: createLimiter(4),
      onWritten: (write) => absorbed.push(write.name),
      signal: signal ?? new AbortController().signal,
    },
  );
  return { tried, sent, absorbed, ...outcome };
}

const forbidden = new KubeError('Forbidden', 'no');

describe('the order of writes', () => {
  test('is Secrets that are missing, references to add, other Secrets, references to remove, deletions', async () => {
    const { tried } = await apply([
      remove('old'),
      reference('b', { removed: ['old'] }),
      update('kept'),
      reference('a', { added: ['new'] }),
      create('new'),
    ]);
    expect(tried).toEqual([
      'create-secret new',
      'patch-service-account a',
      'update-secret kept',
      'patch-service-account b',
      'delete-secret old',
    ]);
  });
});

describe('a failure', () => {
  test('of a Secret holds back the references to it, and no others', async () => {
    const writes = [
      create('new'),
      create('other'),
      reference('a', { added: ['new'] }),
      reference('b', { added: ['other'] }),
    ];
    const { tried, held, failed } = await apply(writes, { 'create-secret new': forbidden });
    expect(tried).not.toContain('patch-service-account a');
    expect(tried).toContain('patch-service-account b');
    expect(held.map((write) => write.name)).toEqual(['a']);
    expect(failed.map(({ write }) => write.name)).toEqual(['new']);
  });

  test('of a Secret does not keep the reference to another one away from the same ServiceAccount', async () => {
    const writes = [create('new'), create('other'), reference('a', { added: ['new', 'other'] })];
    const { sent, held } = await apply(writes, { 'create-secret new': forbidden });
    const list = ['foreign', 'other'];
    expect(sent.at(-1)).toMatchObject({ imagePullSecrets: list, recorded: ['other'], added: ['other'] });
    expect(held).toEqual([]);
  });

  test('of a Secret keeps the reference that goes in the same write, and its Secret: it may be the predecessor', async () => {
    const writes = [
      create('new'),
      create('other'),
      reference('a', { added: ['new', 'other'], removed: ['old'] }),
      remove('old'),
    ];
    const { tried, held } = await apply(writes, { 'create-secret new': forbidden });
    expect(tried).toEqual(['create-secret new', 'create-secret other']);
    expect(held.map((write) => write.name)).toEqual(['a', 'old']);
  });

  test('to remove a reference keeps its Secret', async () => {
    const writes = [reference('a', { removed: ['old'] }), remove('old'), remove('older')];
    const { tried, held } = await apply(writes, { 'patch-service-account a': forbidden });
    expect(tried).not.toContain('delete-secret old');
    expect(tried).toContain('delete-secret older');
    expect(held.map((write) => write.name)).toEqual(['old']);
  });

  test('because the ServiceAccount is gone does not keep its Secret', async () => {
    const writes = [reference('a', { removed: ['old'] }), remove('old')];
    const { tried } = await apply(writes, { 'patch-service-account a': new KubeError('NotFound', 'gone') });
    expect(tried).toContain('delete-secret old');
  });

  test('that is no KubeError is collected as well', async () => {
    const { failed } = await apply([create('new')], { 'create-secret new': new TypeError('boom') });
    expect(failed).toHaveLength(1);
  });

  test('of one write leaves the others done and absorbed', async () => {
    const writes = [create('one'), create('two'), create('three')];
    const { done, absorbed } = await apply(writes, { 'create-secret two': forbidden });
    expect(done.map((write) => write.name).sort()).toEqual(['one', 'three']);
    expect([...absorbed].sort()).toEqual(['one', 'three']);
  });
});

test('nothing is written after leadership is lost', async () => {
  const { tried, failed } = await apply([create('new'), remove('old')], {}, AbortSignal.abort());
  expect(tried).toEqual([]);
  expect(failed.map(({ error }) => (error as KubeError).reason)).toEqual(['Aborted', 'Aborted']);
});
