import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Config, Parsed } from '../../../src/core/types.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { ConfigurationSource, type ConfigurationState } from '../../../src/kube/configuration.ts';
import { editConfiguration } from '../../support/edited-configurations.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient, type FakeClient } from './fake-client.ts';

const CONFIG: Config = {
  rules: [],
  thresholdMs: 1,
  adoptExisting: 'none',
  secretLabels: {},
  email: undefined,
  webhook: undefined,
};
let stop: AbortController;
let running: Promise<void>;
let states: ConfigurationState[];

beforeEach(() => {
  stop = new AbortController();
  states = [];
});
afterEach(async () => {
  stop.abort();
  await running;
});

/** `text: bad` is an error, `text: bug` throws. */
function parse({ text = '' }: Readonly<Record<string, string>>): Parsed<Config> {
  if (text === 'bug') throw new Error('bug');
  if (text === 'bad') return { ok: false, issues: [{ severity: 'error', path: 'text', message: 'is bad' }] };
  return { ok: true, value: { ...CONFIG, email: text }, issues: [] };
}

function configMap(text: string, version: number): KubeObject {
  return { metadata: { namespace: 'a', name: 'x', uid: 'u', resourceVersion: String(version) }, data: { text } };
}

async function start(...items: KubeObject[]): Promise<{ source: ConfigurationSource; client: FakeClient }> {
  const client = createFakeClient(() => ({ items, metadata: { resourceVersion: '10' } }));
  const source = new ConfigurationSource({
    client,
    namespace: 'a',
    name: 'x',
    parse,
    onChange: (state) => void states.push(state),
    report: () => undefined,
    now: () => 0,
    random: () => 0,
  });
  running = source.run(stop.signal);
  await source.whenSynced(stop.signal);
  await eventually('it watches', () => client.watches.length === 1);
  return { source, client };
}

test('follows one ConfigMap and no other', async () => {
  const { client } = await start(configMap('one', 5));
  expect(client.calls[0]).toMatchObject({
    path: '/api/v1/namespaces/a/configmaps',
    query: { fieldSelector: 'metadata.name=x' },
  });
});

test('a bad edit keeps the last good one and says what is wrong; a good one replaces it', async () => {
  const { source, client } = await start(configMap('one', 5));
  expect(source.state).toMatchObject({ status: 'valid', good: { email: 'one' }, resourceVersion: '5', uid: 'u' });
  client.watches[0]?.send('MODIFIED', configMap('bad', 11));
  await eventually('it is bad', () => source.state.status === 'invalid');
  expect(source.state).toMatchObject({ good: { email: 'one' }, goodData: { text: 'one' }, issues: [{ path: 'text' }] });
  client.watches[0]?.send('MODIFIED', configMap('two', 12));
  await eventually('it is good', () => source.state.status === 'valid');
  expect(source.state).toMatchObject({ good: { email: 'two' }, issues: [] });
  expect(states).toHaveLength(3);
});

test('[acr G3] hundreds of edits with mistakes: each that is refused keeps the last good one', async () => {
  const { accepted, refused, lost } = await editConfiguration(1, 400, 3);
  expect(lost).toBe(0);
  expect(refused).toBeGreaterThan(50);
  expect(accepted).toBeGreaterThan(20);
});

test('an edit that leaves the data as they are is no change', async () => {
  const { source, client } = await start(configMap('one', 5));
  client.watches[0]?.send('MODIFIED', configMap('one', 11));
  client.watches[0]?.send('MODIFIED', configMap('two', 12));
  await eventually('the second arrived', () => source.state.good?.email === 'two');
  expect(states).toHaveLength(2);
});

test('a ConfigMap that is missing is an issue that says how to make it', async () => {
  const { source } = await start();
  expect(source.state).toMatchObject({ status: 'missing', good: undefined, issues: [{ severity: 'error', path: '' }] });
  expect(source.state.issues[0]?.message).toContain('there is no ConfigMap a/x: create it');
  expect(states).toHaveLength(1);
});

test('a ConfigMap that is deleted keeps the last good one', async () => {
  const { source, client } = await start(configMap('one', 5));
  client.watches[0]?.send('DELETED', configMap('one', 11));
  await eventually('it is missing', () => source.state.status === 'missing');
  expect(source.state.good?.email).toBe('one');
});

test('a parser that throws is an issue too', async () => {
  const { source } = await start(configMap('bug', 5));
  expect(source.state).toMatchObject({ status: 'invalid', good: undefined, issues: [{ severity: 'error' }] });
});

describe('a configuration that was remembered elsewhere', () => {
  test('is used while the ConfigMap is bad', async () => {
    const { source } = await start(configMap('bad', 5));
    expect(source.restore({ text: 'old' })).toBe(true);
    expect(source.state).toMatchObject({ status: 'invalid', good: { email: 'old' }, goodData: { text: 'old' } });
    expect(states).toHaveLength(2);
  });

  test('never overrides a good one', async () => {
    const { source } = await start(configMap('one', 5));
    expect(source.restore({ text: 'old' })).toBe(false);
    expect(source.state.good?.email).toBe('one');
  });

  test('is not used when it is bad itself', async () => {
    const { source } = await start();
    expect(source.restore({ text: 'bad' })).toBe(false);
    expect(source.state.good).toBeUndefined();
  });
});
