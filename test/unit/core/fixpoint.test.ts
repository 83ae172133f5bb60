// The property that everything rests on: apply a plan, plan again: no writes. Shown over generated worlds, with foreign edits in
// between; and what no plan may ever do on the way there.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isManaged, isVendorSecretName, MANAGED_BY_LABEL, MANAGER, SECRET_TYPE } from '../../../src/core/names.ts';
import { planNamespace } from '../../../src/core/plan.ts';
import { dueAt, isValid, spreadOf } from '../../../src/core/refresh.ts';
import { includesServiceAccount } from '../../../src/core/scope.ts';
import { keyOf, requestKey } from '../../../src/core/source.ts';
import type { Write } from '../../../src/core/plan-types.ts';
import { NAMESPACE, NOW } from '../../support/builders.ts';
import { editsArbitrary, seedArbitrary, wishesArbitrary, worldOf } from '../../support/planned-world-arbitrary.ts';
import { planOf, runToFixpoint, type Step, type Wishes } from '../../support/planned-world-run.ts';
import { observedSecret, type PlannedWorld } from '../../support/planned-world.ts';

const RUNS = { numRuns: 300 };

/** Runs `check` over generated worlds that were brought to their fixpoint. */
function forAllWorlds(
  check: (run: ReturnType<typeof runToFixpoint> & { wishes: Wishes; world: PlannedWorld }) => void,
) {
  fc.assert(
    fc.property(wishesArbitrary, seedArbitrary, editsArbitrary, (wishes, seed, edits) => {
      const world = worldOf(seed);
      check({ ...runToFixpoint(world, wishes, edits), wishes, world });
    }),
    RUNS,
  );
}

const done = (steps: readonly Step[]): readonly Step[] => steps.filter((step) => step.answer === 'Done');

describe('the fixpoint', () => {
  test('without foreign edits, a plan applied and planned again writes nothing, within three rounds', () => {
    fc.assert(
      fc.property(wishesArbitrary, seedArbitrary, (wishes, seed) => {
        // One round to write, one more where a name turns out to be taken, one to see that nothing is left.
        expect(runToFixpoint(worldOf(seed), wishes).rounds).toBeLessThanOrEqual(3);
      }),
      RUNS,
    );
  });

  test('with foreign edits and conflicts in between, writes end too', () => {
    forAllWorlds(({ rounds }) => expect(rounds).toBeLessThanOrEqual(12));
  });

  test('a plan is deterministic and changes nothing that it was given', () => {
    fc.assert(
      fc.property(wishesArbitrary, seedArbitrary, (wishes, seed) => {
        const world = worldOf(seed);
        const first = planOf(world, wishes);
        const before = JSON.stringify([world.observe('default'), ...world.secrets, ...world.serviceAccounts, wishes]);
        const again = planNamespace(first.desired, first.answers, first.context);
        expect(again).toEqual(first.plan);
        expect(JSON.stringify([world.observe('default'), ...world.secrets, ...world.serviceAccounts, wishes])).toBe(
          before,
        );
      }),
      RUNS,
    );
  });
});

describe('on the way to the fixpoint', () => {
  test('no foreign reference is lost or moved, ours come last, and only recorded ones that no rule wants are removed', () => {
    forAllWorlds(({ steps, wishes, last }) => {
      for (const { write, accountBefore } of done(steps)) {
        if (write.kind !== 'patch-service-account' || accountBefore === undefined) continue;
        const recorded = accountBefore.recorded[wishes.settings.instance] ?? [];
        const kept = accountBefore.imagePullSecrets.filter((name) => !write.removed.includes(name));
        expect(write.imagePullSecrets).toEqual([...kept, ...write.added]);
        expect(recorded).toEqual(expect.arrayContaining([...write.removed]));
        for (const name of write.added) expect(accountBefore.imagePullSecrets).not.toContain(name);
        for (const name of write.recorded) expect([...recorded, ...write.added]).toContain(name);
        const wanted = last.desired.secrets
          .filter(({ rule }) => includesServiceAccount(rule.scope, { name: write.name, ...accountBefore }))
          .map((secret) => secret.name);
        for (const name of write.removed) expect(wanted).not.toContain(name);
      }
    });
  });

  test('no document is empty, and no entry is expired or recorded otherwise than it is', () => {
    forAllWorlds(({ steps, wishes }) => {
      for (const { write } of done(steps)) {
        if (!hasContent(write)) continue;
        const { auths } = JSON.parse(write.content.dockerConfigJson) as {
          auths: Record<string, { password: string }>;
        };
        expect(Object.keys(auths)).not.toEqual([]);
        const { entries } = observedOf(write);
        expect(Object.keys(entries ?? {})).toEqual(Object.keys(auths));
        for (const [host, { password }] of Object.entries(auths)) {
          const answer = wishes.answers.get(password.replace('password-of-', ''));
          if (answer === undefined || answer.status === 'unavailable') throw new Error(`${host}: no such credential`);
          expect(isValid(answer.credential, NOW)).toBe(true);
          expect(entries?.[host]).toEqual({
            source: answer.source,
            issuedAt: answer.credential.issuedAt,
            expiresAt: answer.credential.expiresAt,
          });
        }
      }
    });
  });

  test('no valid entry of an intact Secret is dropped while its request is wanted and fails', () => {
    forAllWorlds(({ steps, wishes }) => {
      for (const { write, secretBefore } of done(steps)) {
        if (!hasContent(write)) continue;
        if (secretBefore?.entries === undefined || secretBefore.recordedDigest !== secretBefore.contentDigest) continue;
        if (!isManaged(secretBefore, wishes.settings.instance)) continue;
        const requests = wishes.rules.find((rule) => rule.secretName === write.name)?.requests ?? [];
        const after = observedOf(write).entries ?? {};
        for (const [host, record] of Object.entries(secretBefore.entries)) {
          const request = requests.find((one) => keyOf(record.source) === requestKey(one));
          const isFailing = wishes.answers.get(request?.cacheKey ?? '')?.status === 'unavailable';
          if (isFailing && isValid(record, NOW)) expect(Object.keys(after)).toContain(host);
        }
      }
    });
  });

  test('a Secret keeps its UID, but for a wrong type or an immutable one of ours', () => {
    forAllWorlds(({ steps, wishes }) => {
      for (const { write, secretBefore } of done(steps)) {
        if (write.kind !== 'replace-secret') continue;
        expect(secretBefore?.type !== SECRET_TYPE || secretBefore.immutable).toBe(true);
        expect(isManaged(secretBefore ?? { labels: {} }, wishes.settings.instance)).toBe(true);
      }
    });
  });

  test('a foreign Secret is written only when it may be adopted, one of another installation never', () => {
    forAllWorlds(({ steps, wishes: { settings } }) => {
      for (const { write, secretBefore } of done(steps)) {
        if (secretBefore === undefined || isManaged(secretBefore, settings.instance)) continue;
        const lostItsLabels = secretBefore.entries !== undefined;
        const isAdoptable =
          settings.adoptExisting === 'all' ||
          (settings.adoptExisting === 'vendor' && isVendorSecretName(secretBefore.name));
        expect(write.kind).toBe('update-secret');
        expect(secretBefore.type).toBe(SECRET_TYPE);
        expect(secretBefore.immutable).toBe(false);
        expect(isAdoptable || lostItsLabels).toBe(true);
        const holder = secretBefore.labels['app.kubernetes.io/instance'];
        if (secretBefore.labels[MANAGED_BY_LABEL] === MANAGER) expect(holder).toBeUndefined();
      }
    });
  });

  test('nothing is deleted that a rule wants or that another manages', () => {
    forAllWorlds(({ steps, wishes, last }) => {
      for (const { write, secretBefore } of done(steps)) {
        if (write.kind !== 'delete-secret') continue;
        expect(last.desired.secrets.map((secret) => secret.name)).not.toContain(write.name);
        expect(isManaged(secretBefore ?? { labels: {} }, wishes.settings.instance)).toBe(true);
      }
    });
  });

  test('a Secret is deleted only after the last recorded reference to it is gone', () => {
    forAllWorlds(({ last, steps, world, wishes }) => {
      const wanted = last.desired.secrets.map((secret) => secret.name);
      const deleted = done(steps).flatMap(({ write }) => (write.kind === 'delete-secret' ? [write.name] : []));
      for (const [, account] of world.serviceAccounts) {
        for (const name of account.recorded[wishes.settings.instance] ?? []) {
          expect(deleted).not.toContain(name);
          // It may be the predecessor of one that the API server refuses.
          if (world.refusedUntil.size === 0) expect(wanted).toContain(name);
        }
      }
    });
  });
});

test('what others fight over, or the API server refuses, is not written', () => {
  forAllWorlds(({ steps, world }) => {
    for (const { write } of steps) {
      if (write.kind === 'patch-service-account') continue;
      const place = `${NAMESPACE}/${write.name}`;
      expect(world.contendedUntil.has(place) || world.refusedUntil.has(place)).toBe(false);
    }
  });
});

describe('nextCheckAt', () => {
  test('is never in the past, and is set whenever something is due later or failing', () => {
    fc.assert(
      fc.property(wishesArbitrary, seedArbitrary, editsArbitrary, (wishes, seed, edits) => {
        const world = worldOf(seed);
        const first = planOf(world, wishes);
        if (first.plan.nextCheckAt !== undefined) expect(first.plan.nextCheckAt).toBeGreaterThan(NOW);
        const { last } = runToFixpoint(world, wishes, edits);
        const { nextCheckAt } = last.plan;
        if (nextCheckAt !== undefined) expect(nextCheckAt).toBeGreaterThan(NOW);
        if (last.plan.skips.length > 0) expect(nextCheckAt).toBeDefined();
        const { secrets } = last.context.observed;
        for (const { name } of last.desired.secrets) {
          const secret = secrets.get(name);
          if (secret === undefined || !isManaged(secret, wishes.settings.instance)) continue;
          if (secret.recordedDigest !== secret.contentDigest) continue;
          // What may not be written yet is looked at when it may, whatever is due until then.
          const place = `${NAMESPACE}/${name}`;
          if (world.contendedUntil.has(place) || world.refusedUntil.has(place)) continue;
          for (const record of Object.values(secret.entries ?? {})) {
            const at = dueAt(record, wishes.settings.thresholdMs, spreadOf(place));
            if (at === undefined || !isValid(record, NOW)) continue;
            expect(nextCheckAt).toBeDefined();
            if (at > NOW && record.issuedAt <= NOW) expect(nextCheckAt).toBeLessThanOrEqual(at);
          }
        }
      }),
      RUNS,
    );
  });
});

/** The Secret as it will be observed after the write. */
type Filled = Extract<Write, { readonly content: unknown }>;

function hasContent(write: Write): write is Filled {
  return 'content' in write;
}

function observedOf(write: Filled) {
  const { labels, annotations, dockerConfigJson } = write.content;
  const parts = { uid: '1', resourceVersion: '1', type: SECRET_TYPE, immutable: false };
  return observedSecret(write.name, { ...parts, labels, annotations, text: dockerConfigJson });
}
