// Who was served before the vendor's add-on ran, and who was not, although it has written the statuses anew.
import { expect, test } from '@jest/globals';
import { Standings } from '../../../src/controller/standings.ts';
import type { Standing } from '../../../src/core/resource-conflicts.ts';
import type { Resource } from '../../../src/kube/resource-objects.ts';

const SERVED = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True', reason: 'Distributed' }] };
const REFUSED = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'False', reason: 'KeyConflict' }] };
const THEIRS = { secretsDesired: 1, secretsSuccess: 1 };

const resource = (status: unknown, change: Partial<Resource> = {}): Resource => ({
  ...{ name: 'a', uid: 'u-1', generation: 1, resourceVersion: '1', labels: {}, spec: {}, status },
  ...change,
});

test.each<[string, unknown, Resource, Standing]>([
  ['who was served is so', SERVED, resource(THEIRS), 'served'],
  ['who was served and was edited meanwhile counts as edited', SERVED, resource(THEIRS, { generation: 2 }), 'edited'],
  ['who was refused is so, also when edited', REFUSED, resource(THEIRS, { generation: 2 }), 'refused'],
  ['who came meanwhile is new', SERVED, resource(THEIRS, { uid: 'u-2' }), 'new'],
  ['who was new is so', undefined, resource(THEIRS), 'new'],
  ['a status that tells goes before what was', REFUSED, resource(SERVED), 'served'],
])('%s', (_what, before, now, standing) => {
  const standings = new Standings();
  standings.remember([resource(before)]);
  expect(standings.claimOf(now).standing).toBe(standing);
  // Another run begins before anything was told.
  standings.remember([now]);
  expect(standings.claimOf(resource(THEIRS, now)).standing).toBe(standing);
});

test('what was before an earlier run is not remembered for ever', () => {
  const standings = new Standings();
  standings.remember([resource(REFUSED)]);
  standings.remember([resource(SERVED)]);
  expect(standings.claimOf(resource(THEIRS)).standing).toBe('served');
});
