// The configuration as it is kept from values, against other writers and an API server that refuses: never a hot loop, told once.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFollowedValues, type FollowedValues } from '../../../src/controller/followed-values.ts';
import { createValuesReport } from '../../../src/controller/report-values.ts';
import { KubeError } from '../../../src/core/errors.ts';
import { valuesAnnotation } from '../../../src/core/names.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient, type FakeClient } from '../kube/fake-client.ts';

const INSTANCE = 'main';
const TAKEN = valuesAnnotation(INSTANCE);

interface ConfigMap extends KubeObject {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data: Readonly<Record<string, string>>;
}

/** Two ConfigMaps behind an API server that guards writes by version. */
class Server {
  readonly client: FakeClient;
  readonly live = new Map<string, ConfigMap>();
  /** Called before each write; throwing refuses it. */
  onWrite: () => void = () => undefined;
  /** Nobody may list the values. */
  isLocked = false;
  #version = 100;

  constructor() {
    this.client = createFakeClient((call) => this.#answer(call));
  }

  /** Somebody writes it whole; undefined = deletes it. */
  put(name: string, data: Readonly<Record<string, string>> | undefined, taken?: string): ConfigMap | undefined {
    const before = this.live.get(name);
    this.#version += 1;
    const annotations = taken === undefined ? {} : { [TAKEN]: taken };
    const metadata = { namespace: 'a', name, uid: `uid-${name}`, resourceVersion: `${this.#version}`, annotations };
    const after: ConfigMap | undefined = data === undefined ? undefined : { metadata, data };
    if (after === undefined) this.live.delete(name);
    else this.live.set(name, after);
    const type = after === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED';
    for (const watch of this.client.watches) {
      if (watch.call.query?.fieldSelector === `metadata.name=${name}`)
        watch.send(type, after ?? { ...before, metadata });
    }
    return after;
  }

  writes(): readonly KubeCall[] {
    return this.client.calls.filter(({ method }) => method !== 'GET');
  }

  #answer({ method, path, query, body }: KubeCall): KubeObject {
    if (method === 'GET') {
      const name = String(query?.fieldSelector).replace('metadata.name=', '');
      if (this.isLocked && name === 'values') throw new KubeError('Forbidden', 'no right');
      const one = this.live.get(name);
      return { metadata: { resourceVersion: String(this.#version) }, items: one === undefined ? [] : [one] };
    }
    this.onWrite();
    const { metadata, data = {} } = body as {
      readonly metadata: { readonly resourceVersion?: string; readonly annotations: Readonly<Record<string, string>> };
      readonly data?: Readonly<Record<string, string | null>>;
    };
    const name = path.endsWith('/configmaps') ? 'config' : path.replace(/.*\//, '');
    const live = this.live.get(name);
    if (method === 'POST' && live !== undefined) throw new KubeError('AlreadyExists', 'it is there');
    if (method === 'PATCH' && live?.metadata.resourceVersion !== metadata.resourceVersion)
      throw new KubeError('Conflict', 'it changed');
    const merged = Object.entries({ ...live?.data, ...data });
    const texts = Object.fromEntries(merged.filter((pair): pair is [string, string] => pair[1] !== null));
    return this.put(name, texts, metadata.annotations[TAKEN]) ?? {};
  }
}

let server: Server;
let followed: FollowedValues;
let told: string[];
let lines: string[];
let contentions: number;
let stop: AbortController;
let running: Promise<unknown>;

function start(): void {
  const note = (message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const report = createValuesReport({
    logger: { error: note, warn: note, info: note, debug: note },
    metrics: {
      ...{ wrote: () => undefined, writeFailed: () => undefined, skipped: () => undefined },
      contended: () => (contentions += 1),
    },
    events: { record: ({ reason, message }) => void told.push(`${reason}: ${message}`) },
    configMap: { namespace: 'a', name: 'config' },
  });
  followed = createFollowedValues({
    client: server.client,
    instance: INSTANCE,
    values: { namespace: 'a', name: 'values' },
    configMap: { namespace: 'a', name: 'config' },
    observer: report,
    onChange: () => undefined,
    report: () => undefined,
    now: Date.now,
    random: () => 0,
  });
  running = Promise.all([followed.run(stop.signal), followed.lead(stop.signal)]);
}

beforeEach(() => {
  server = new Server();
  told = [];
  lines = [];
  contentions = 0;
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
});

const config = (): ConfigMap | undefined => server.live.get('config');
const says = (region: string) => eventually(`the configuration says ${region}`, () => config()?.data.region === region);
const watching = () => eventually('both are watched', () => server.client.watches.length === 2);

describe('one that is to be made', () => {
  test('is about to be as long as nobody knows whether there are values, and where there are', async () => {
    start();
    expect(followed.isMaking()).toBe(true);
    await eventually('there are no values', () => !followed.isMaking());
    await watching();
    server.onWrite = () => {
      throw new KubeError('Unavailable', 'not now');
    };
    server.put('values', { region: 'x' });
    await eventually('it failed', () => lines.some((line) => line.startsWith('Write failed')));
    expect(followed.isMaking()).toBe(false);
    expect(followed.problems()).toEqual(['ConfigMap a/config could not be written from the values: not now']);
  });

  test('is not while the values may not be looked at, and is as soon as they may', async () => {
    server.isLocked = true;
    server.put('values', { region: 'x' });
    start();
    await eventually('nobody waits for it', () => !followed.isMaking());
    server.isLocked = false;
    await says('x');
  });

  test('is made once', async () => {
    server.put('values', { region: 'x' });
    start();
    await says('x');
    await watching();
    server.put('values', { region: 'x', 'secret-name': 's' });
    await eventually('it follows', () => config()?.data['secret-name'] === 's');
    expect(server.writes().map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(followed.isMaking()).toBe(false);
    expect(told).toEqual([]);
  });

  test('may be refused: that is told once, and no hot loop', async () => {
    server.onWrite = () => {
      throw new KubeError('Forbidden', 'no right');
    };
    server.put('values', { region: 'x' });
    start();
    await eventually('it was refused', () => followed.problems().length > 0);
    expect([...followed.leftAlone()]).toEqual([['WriteRefused', 1]]);
    await watching();
    // Whatever changes about it, it is not tried at once.
    for (const at of ['1', '2', '3']) server.put('config', { at });
    for (let round = 0; round < 20; round += 1) await Promise.resolve();
    expect(server.writes()).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('Write failed'))).toHaveLength(1);
  });
});

test('one that is deleted stays away for a moment: who made it anew at once has made it', async () => {
  server.put('values', { region: 'x' });
  start();
  await says('x');
  await watching();
  server.put('config', undefined);
  await eventually('that is seen', () => followed.isMaking());
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
  server.put('config', { region: 'theirs' });
  await eventually('it is told', () => told.length === 1);
  expect(told[0]).toMatch(/^ValuesUnused: ConfigMap a\/config was not made from values/);
  expect(server.writes()).toHaveLength(1);
});

test('an edit in the same moment wins', async () => {
  server.put('values', { region: 'x' });
  start();
  await says('x');
  await watching();
  let edits = 0;
  server.onWrite = () => {
    edits += 1;
    if (edits === 1)
      server.put('config', { ...config()?.data, region: 'mine' }, config()?.metadata.annotations?.[TAKEN]);
  };
  server.put('values', { region: 'y', 'secret-name': 's' });
  await eventually('the rest follows', () => config()?.data['secret-name'] === 's');
  expect(config()?.data.region).toBe('mine');
  expect(followed.editedKeys()).toBe(1);
});

test('another writer who puts an old copy back again and again is not fought over, and is told of once', async () => {
  server.put('values', { region: 'x' });
  start();
  await says('x');
  await watching();
  const old = config();
  server.put('values', { region: 'y' });
  const putBack = async (): Promise<void> => {
    await says('y');
    server.put('config', old?.data, old?.metadata.annotations?.[TAKEN]);
  };
  for (let round = 0; round < 4; round += 1) await putBack();
  await eventually('it is told', () => told.some((message) => message.startsWith('Contended: ')));
  const before = server.writes().length;
  server.put('config', { ...old?.data, more: 'x' }, old?.metadata.annotations?.[TAKEN]);
  await eventually('it is still told', () => followed.problems().length === 1);
  expect(server.writes()).toHaveLength(before);
  expect(told).toHaveLength(1);
  expect([...followed.leftAlone()]).toEqual([['Contended', 1]]);
  expect(contentions).toBe(1);
});

test('a hand edit is told once for each state of it, and again when it is another', async () => {
  server.put('values', { region: 'x' });
  start();
  await says('x');
  await watching();
  const taken = config()?.metadata.annotations?.[TAKEN];
  const count = (): number => told.length;
  server.put('config', { ...config()?.data, region: 'mine' }, taken);
  await eventually('it is told', () => count() === 1);
  server.put('config', { ...config()?.data, more: 'y' }, taken);
  await eventually('that is seen', () => followed.editedKeys() === 1);
  expect([...followed.leftAlone()]).toEqual([['HandEditKept', 1]]);
  server.put('config', { ...config()?.data, region: 'another' }, taken);
  await eventually('it is told again', () => count() === 2);
  expect(told).toEqual([
    'HandEditKept: region was edited by hand and stays: it reads "mine", the values say "x".',
    'HandEditKept: region was edited by hand and stays: it reads "another", the values say "x".',
  ]);
});
