// The resources and their definition, as two watches tell of them in any order.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RESOURCE_KIND } from '../../../src/core/names.ts';
import type { KubeCall, KubeObject } from '../../../src/kube/client.ts';
import { ImagePullSecrets } from '../../../src/kube/image-pull-secrets.ts';
import { DEFINITION, RESOURCES_PATH } from '../../../src/kube/resource-objects.ts';
import { KubeError } from '../../../src/core/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClient, type FakeClient, type FakeWatch } from './fake-client.ts';

const FIRST = 'uid-of-the-first-definition';
const SECOND = 'uid-of-the-second-definition';

let stop: AbortController;
let running: Promise<void>;
let client: FakeClient;
let kind: ImagePullSecrets;
let told: string[];
/** What the API server has. */
let definition: KubeObject | undefined;
let resources: readonly KubeObject[];
let version = 10;
/** Holds the answers to lists of resources back. */
let held: Promise<undefined>;

const definitionOf = (uid: string, metadata: object = {}): KubeObject => ({
  metadata: { name: DEFINITION.name, uid, resourceVersion: String((version += 1)), ...metadata },
  status: { conditions: [{ type: 'Established', status: 'True' }] },
});
const resourceOf = (name: string, uid = `u-${name}`): KubeObject => ({
  kind: RESOURCE_KIND.kind,
  metadata: { name, uid, resourceVersion: String((version += 1)), generation: 1 },
  spec: {},
});
const watchOf = (path: string): FakeWatch | undefined => client.watches.findLast(({ call }) => call.path === path);
const send = (path: string, type: string, { metadata, ...object }: KubeObject): void =>
  watchOf(path)?.send(type, {
    ...object,
    metadata: { ...(metadata as object), resourceVersion: String((version += 1)) },
  });

async function answer({ path }: KubeCall): Promise<KubeObject> {
  const metadata = { resourceVersion: String(version) };
  if (path === DEFINITION.collection) return { items: definition === undefined ? [] : [definition], metadata };
  if (path === RESOURCES_PATH) {
    await held;
    return { items: resources, metadata };
  }
  if (definition === undefined) throw new KubeError('NotFound', 'no such definition');
  return definition;
}

beforeEach(async () => {
  stop = new AbortController();
  told = [];
  definition = definitionOf(FIRST);
  resources = [resourceOf('a'), resourceOf('b')];
  held = Promise.resolve(undefined);
  client = createFakeClient(answer);
  kind = new ImagePullSecrets({
    client,
    onChange: ({ before, after, isDeleted }) =>
      told.push(
        `${(after ?? before)?.name ?? ''} ${after !== undefined ? 'is there' : isDeleted === true ? 'was deleted' : 'is gone'}`,
      ),
    onDefinition: () => undefined,
    onKind: (state) => told.push(`${state} ${kind.definition ?? ''}`),
    report: () => undefined,
    now: () => 0,
    random: () => 0,
  });
  running = kind.run(stop.signal);
  await eventually('it follows', () => watchOf(RESOURCES_PATH) !== undefined);
  expect(told).toEqual(['a is there', 'b is there', `served ${FIRST}`]);
  told = [];
});
afterEach(async () => {
  stop.abort();
  await running;
});

/** As the API server does it: the definition is being deleted, its resources go, then it is gone. */
async function removeDefinition(): Promise<void> {
  const gone = resources;
  definition = definitionOf(FIRST, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  resources = [];
  for (const one of gone) send(RESOURCES_PATH, 'DELETED', one);
  const asked = client.calls.length;
  await eventually('each deletion is asked about', () => client.calls.length >= asked + gone.length);
  send(DEFINITION.collection, 'MODIFIED', definition);
  send(DEFINITION.collection, 'DELETED', definition);
  definition = undefined;
  await eventually('the kind is absent', () => kind.state === 'absent');
}

async function makeDefinition(uid: string): Promise<void> {
  definition = definitionOf(uid);
  send(DEFINITION.collection, 'ADDED', definition);
  await eventually('its resources are listed', () => kind.state === 'served' && kind.definition === uid);
}

describe('a resource', () => {
  test('that is deleted while its definition stays was deleted by somebody', async () => {
    const [a] = resources;
    if (a === undefined) throw new Error('there is none');
    send(RESOURCES_PATH, 'DELETED', a);
    await eventually('it is told', () => told.length === 1);
    expect(told).toEqual(['a was deleted']);
    expect(kind.all().map(({ name }) => name)).toEqual(['b']);
  });

  test('that goes with its definition stays in force, under that definition', async () => {
    await removeDefinition();
    expect(told).toEqual([`absent ${FIRST}`]);
    expect(kind.all().map(({ name }) => name)).toEqual(['a', 'b']);
    expect(kind.definition).toBe(FIRST);
  });

  test('stays in force until the list of the new definition is there; what is not in it is gone, and nobody deleted it', async () => {
    await removeDefinition();
    const listed = Promise.withResolvers<undefined>();
    held = listed.promise;
    resources = [resourceOf('b', 'another')];
    told = [];
    definition = definitionOf(SECOND);
    send(DEFINITION.collection, 'ADDED', definition);
    await eventually(
      'the list is asked for',
      () => client.calls.filter(({ path }) => path === RESOURCES_PATH).length === 2,
    );
    expect(kind.definition).toBe(FIRST);
    expect(kind.all().map(({ name }) => name)).toEqual(['a', 'b']);
    listed.resolve(undefined);
    await eventually('it is told', () => told.length === 3);
    expect(told).toEqual(['b is there', 'a is gone', `served ${SECOND}`]);
  });

  test('is deleted by somebody again under the new definition', async () => {
    await removeDefinition();
    await makeDefinition(SECOND);
    const back = resourceOf('a', 'another');
    send(RESOURCES_PATH, 'ADDED', back);
    await eventually('it is back', () => kind.all().length === 1);
    told = [];
    send(RESOURCES_PATH, 'DELETED', back);
    await eventually('it is told', () => told.length === 1);
    expect(told).toEqual(['a was deleted']);
  });

  test('of a definition that took the place of another at once is known under it, and that is told', async () => {
    resources = [resourceOf('a', 'another')];
    definition = definitionOf(SECOND);
    send(DEFINITION.collection, 'ADDED', definition);
    await eventually('it is told', () => told.length === 4);
    expect(told).toEqual([`absent ${FIRST}`, 'a is there', 'b is gone', `served ${SECOND}`]);
  });
});
