// How long we believe that a foreign Secret is still there.
import { expect, test } from '@jest/globals';
import { ForeignSecrets } from '../../../src/controller/foreign-secrets.ts';
import { buildForeignSecret, HOUR, NOW, SECOND } from '../../support/builders.ts';

const secret = buildForeignSecret({});

test.each([
  ['at once', 0, true],
  ['until just before the planner looks again', 590 * SECOND, true],
  ['not after that', 590 * SECOND + 1, false],
  ['when the clock was set back a little', -5 * SECOND, true],
  ['not when the clock was set back by a day', -24 * HOUR, false],
])('a sighting is believed %s', (_, passedMs, isBelieved) => {
  const sightings = new ForeignSecrets();
  sightings.remember(secret, NOW);
  const found = sightings.inNamespace(secret.namespace, NOW + passedMs);
  expect([...found.keys()]).toEqual(isBelieved ? [secret.name] : []);
});
