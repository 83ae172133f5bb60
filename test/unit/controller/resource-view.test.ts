// What is known of each resource among all others: how much work that is.
import { expect, test } from '@jest/globals';
import { createResourceView } from '../../../src/controller/resource-view.ts';
import { ResourceRules } from '../../../src/controller/resource-rules.ts';
import type { Config, Issue, Rule } from '../../../src/core/types.ts';
import { buildRequest, buildRule, buildSettings, NOW } from '../../support/builders.ts';

const RESOURCES = 300;

/** Many resources, each with a rule that counts how often it is read. */
function worldOf() {
  const world = { reads: 0, config: undefined as Config | undefined };
  const parse = (name: string) => {
    const requests = [buildRequest(`image-pull-secret/${name}`, ['a.example'])];
    const rule: Rule = {
      ...buildRule({ secretName: `tcr.ips${name}` }),
      get requests() {
        world.reads += 1;
        return requests;
      },
    };
    return { rule, issues: [] };
  };
  const rules = new ResourceRules(parse);
  const put = (name: string): void => {
    const metadata = { name, uid: name, resourceVersion: '1', generation: 1, labels: {} };
    rules.take({ before: undefined, after: { ...metadata, spec: {}, status: undefined } });
  };
  const names = Array.from({ length: RESOURCES }, (_, at) => `r-${at}`);
  for (const name of names) put(name);
  const view = createResourceView({
    rules,
    skips: { of: () => [] },
    isStandingDown: () => false,
    onPasswordEnding: () => undefined,
    config: () => world.config,
    settings: () => ({ ...buildSettings() }),
    caches: () => {
      throw new Error('nothing is counted');
    },
    credentials: { source: () => undefined, facts: () => undefined, failure: () => undefined },
    now: () => NOW,
  });
  return Object.assign(world, { view, put, names });
}

test('what is wrong with each of many resources is found with a few reads of each rule, not one for each other', () => {
  const world = worldOf();
  const look = (): number => {
    const before = world.reads;
    for (const name of world.names) expect(world.view.issuesOf(name)).toEqual([]);
    return world.reads - before;
  };
  expect(look()).toBeLessThanOrEqual(3 * RESOURCES);
  expect(look()).toBeLessThanOrEqual(2 * RESOURCES);
});

test('what keeps it from being served among the others is told from what is in force', () => {
  const world = worldOf();
  const conflict = { severity: 'error', path: 'spec.tcr', message: 'names a Secret that another publishes' } as const;
  const inForce = (conflicts: ReadonlyMap<string, Issue>) =>
    ({ ...buildSettings(), rules: [], unknown: { conflicts } }) as unknown as Config;
  world.config = inForce(new Map([['r-0', conflict]]));
  expect([world.view.issuesOf('r-0'), world.view.issuesOf('r-1')]).toEqual([[conflict], []]);
  world.config = inForce(new Map());
  expect(world.view.issuesOf('r-0')).toEqual([]);
});
