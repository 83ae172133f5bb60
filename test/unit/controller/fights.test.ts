// Other writers that undo what we write, pass after pass: we hold back whatever they do, and only from a fight.
import { describe, expect, test } from '@jest/globals';
import { ACR_SECRET_NAME, CREDENTIALS_ANNOTATION, SECRET_NAME, SECRET_TYPE } from '../../../src/core/names.ts';
import { buildFresh, buildRule, HOUR, MINUTE, SECOND } from '../../support/builders.ts';
import { Passes } from '../../support/passes.ts';
import type { StoredSecret } from '../../support/planned-world.ts';

/** Writes of Secrets that succeeded. */
const secretWrites = (run: Passes): readonly string[] =>
  run.writes.flatMap(({ kind, reason }) => (kind === 'patch-service-account' ? [] : [reason]));

const secretOf = (run: Passes, name = SECRET_NAME): StoredSecret => {
  const secret = run.world.secrets.get(name);
  if (secret === undefined) throw new Error(`there is no Secret ${name}`);
  return secret;
};

/** Makes passes each 20 ms; before each the other writer does its work. */
async function fight(run: Passes, undo: () => void, rounds = 50): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    undo();
    // A name that turns out to be taken takes a second look.
    await run.pass();
    await run.pass();
    run.now += 20;
  }
}

/** Puts a Secret under the vendor's name, as the vendor's add-on writes it. */
function putTheirs({ world }: Passes): void {
  const [uid, resourceVersion] = [world.next(), world.next()];
  const theirs = { type: SECRET_TYPE, immutable: false, labels: {}, annotations: {}, text: '{"auths":{}}' };
  world.secrets.set(ACR_SECRET_NAME, { ...theirs, uid, resourceVersion });
}

describe('we hold back from another writer who', () => {
  test("puts a vendor's Secret back under our name, as the vendor's add-on does that still runs", async () => {
    const run = new Passes([buildRule({ secretName: ACR_SECRET_NAME })]);
    await fight(run, () => putTheirs(run));
    expect(secretWrites(run)).toEqual(Array<string>(4).fill('SecretAdopted'));
    expect(run.pauses).toBe(1);
    expect(run.skips).toMatchObject([{ reason: 'Contended', name: ACR_SECRET_NAME, object: 'Secret' }]);
    expect((run.wakeAt ?? Infinity) - run.now).toBeLessThanOrEqual(5 * MINUTE);
  });

  test("puts a vendor's Secret back now and then, although what we write is new each time", async () => {
    const run = new Passes([buildRule({ secretName: ACR_SECRET_NAME })], { thresholdMs: 5 * SECOND });
    run.lives.a = 20 * SECOND;
    for (let round = 0; round < 10; round += 1) {
      await fight(run, () => putTheirs(run), 1);
      run.now += 21 * SECOND;
    }
    expect(run.pauses).toBeGreaterThan(2);
    expect(secretWrites(run).length).toBeLessThan(10);
  });

  test('restores an older copy of our Secret, labels, annotations and all', async () => {
    const run = new Passes([buildRule()]);
    await run.pass();
    const copy = { ...secretOf(run) };
    run.now += 55 * MINUTE;
    await fight(run, () => {
      run.world.secrets.set(SECRET_NAME, { ...copy, resourceVersion: run.world.next() });
    });
    expect(secretWrites(run)).toEqual(['SecretMissing', ...Array<string>(4).fill('CredentialDue')]);
    expect(run.pauses).toBe(1);
    expect(run.skips.map(({ reason }) => reason)).toEqual(['Contended']);
  });

  test('restores an older copy, while the same password is issued anew each time', async () => {
    const run = new Passes([buildRule()]);
    await run.pass();
    const copy = { ...secretOf(run) };
    run.now += 55 * MINUTE;
    run.answer = () => buildFresh('a', { issuedAt: run.now, expiresAt: run.now + HOUR });
    await fight(run, () => {
      run.world.secrets.set(SECRET_NAME, { ...copy, resourceVersion: run.world.next() });
    });
    expect(secretWrites(run).slice(1)).toEqual(Array<string>(4).fill('CredentialDue'));
  });

  test('empties our annotation', async () => {
    const run = new Passes([buildRule()]);
    await fight(run, () => {
      const secret = run.world.secrets.get(SECRET_NAME);
      if (secret === undefined) return;
      secret.annotations = { ...secret.annotations, [CREDENTIALS_ANNOTATION]: '{}' };
      secret.resourceVersion = run.world.next();
    });
    expect(secretWrites(run)).toHaveLength(4);
    expect(run.pauses).toBe(1);
  });

  test('deletes our Secret', async () => {
    const run = new Passes([buildRule()]);
    await fight(run, () => run.world.secrets.delete(SECRET_NAME));
    expect(secretWrites(run)).toEqual(Array<string>(4).fill('SecretMissing'));
    expect(run.pauses).toBe(1);
  });

  test('puts a Secret of ours back that no rule wants any more', async () => {
    const run = new Passes([buildRule()]);
    await run.pass();
    const copy = secretOf(run);
    run.config = { ...run.config, rules: [] };
    await fight(run, () => {
      run.world.secrets.set(SECRET_NAME, { ...copy, resourceVersion: run.world.next() });
    });
    expect(secretWrites(run).slice(1)).toEqual(Array<string>(4).fill('SecretUnwanted'));
    expect(run.skips).toMatchObject([{ reason: 'Contended', name: SECRET_NAME }]);
  });

  test('strips our labels', async () => {
    const run = new Passes([buildRule()]);
    await fight(run, () => {
      const secret = run.world.secrets.get(SECRET_NAME);
      if (secret !== undefined) Object.assign(secret, { labels: {}, resourceVersion: run.world.next() });
    });
    expect(secretWrites(run)).toHaveLength(4);
    expect(run.pauses).toBe(1);
  });
});

test('an expiry that somebody puts off in our annotation does not end renewal', async () => {
  const run = new Passes([buildRule()]);
  await run.pass();
  const before = secretOf(run).annotations;
  const edited = before[CREDENTIALS_ANNOTATION]?.replace(
    /"expiresAt":"[^"]*"/,
    '"expiresAt":"2099-01-01T00:00:00.000Z"',
  );
  expect(edited).toContain('2099');
  Object.assign(secretOf(run), { annotations: { ...before, [CREDENTIALS_ANNOTATION]: edited } });
  await run.pass();
  expect(secretWrites(run)).toEqual(['SecretMissing', 'SecretEdited']);
  expect(secretOf(run).annotations).toEqual(before);
  run.now += 55 * MINUTE;
  await run.pass();
  expect(secretWrites(run).at(-1)).toBe('CredentialDue');
});

describe('it is no fight', () => {
  test('when a short-lived credential is rotated all day', async () => {
    const run = new Passes([buildRule()], { thresholdMs: 5 * SECOND });
    run.lives.a = 20 * SECOND;
    for (let pass = 0; pass < 500; pass += 1) {
      await run.pass();
      run.now = run.wakeAt ?? run.now;
    }
    expect(secretWrites(run).filter((reason) => reason === 'CredentialDue').length).toBeGreaterThan(100);
    expect(run.pauses).toBe(0);
  });

  test('when a namespace leaves and enters the scope time and again', async () => {
    const run = new Passes([buildRule()]);
    const { rules } = run.config;
    for (let edit = 0; edit < 20; edit += 1) {
      run.config = { ...run.config, rules: edit % 2 === 0 ? rules : [] };
      await run.pass();
      expect(run.world.secrets.has(SECRET_NAME)).toBe(edit % 2 === 0);
    }
    expect(run.pauses).toBe(0);
  });

  test('when people change the labels of the configuration time and again', async () => {
    const run = new Passes([buildRule()]);
    for (let edit = 0; edit < 10; edit += 1) {
      run.config = { ...run.config, secretLabels: { team: `team-${edit}` } };
      await run.pass();
    }
    expect(secretOf(run).labels.team).toBe('team-9');
    expect(run.pauses).toBe(0);
  });

  test.each([
    ['is seen gone', (run: Passes) => void (run.exists = false)],
    ['is only seen ending', (run: Passes) => void (run.terminating = true)],
  ])(
    'when a namespace is deleted and made anew each minute, and %s, whatever the rules want by then',
    async (_, end) => {
      const run = new Passes([buildRule()]);
      const { config } = run;
      for (let life = 0; life < 12; life += 1) {
        run.addAccounts('default');
        await run.pass();
        expect(run.world.serviceAccounts.get('default')?.imagePullSecrets).toEqual([SECRET_NAME]);
        run.config = { ...config, rules: [buildRule({ secretName: 'another' })] };
        end(run);
        await run.pass();
        run.world.secrets.clear();
        run.world.serviceAccounts.clear();
        Object.assign(run, { config, exists: true, terminating: false, now: run.now + 40 * SECOND });
      }
      expect(run.pauses).toBe(0);
    },
  );
});
