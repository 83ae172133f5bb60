// Metrics: the names are an interface, and no label grows without bound.
import { expect, test } from '@jest/globals';
import { createMetrics } from '../../../src/observability/metrics.ts';

const P = 'registry_credential_helper';

test('every metric has its name, its help and, once used, its sample', async () => {
  const metrics = createMetrics({ version: '1.2.3' });
  metrics.observe({
    queueDepth: () => 2,
    queueWorking: () => 1,
    namespacesInScope: () => 3,
    secretsManaged: () => 4,
    limiterWaiting: () => 5,
  });
  metrics.observe({
    queueDepth: () => 1,
    reflectors: () => [{ kind: 'secrets', lastActivityAt: 1_500, restarts: 6 }],
    credentials: () => [
      { provider: 'acr', cacheKey: 'acr/a', isHeld: true, expiresAt: 2_000_000 },
      { provider: 'static', cacheKey: 'static/b', isHeld: true, expiresAt: undefined },
      { provider: 'tcr', cacheKey: 'tcr/c', isHeld: false },
      { provider: 'static', cacheKey: 'ips/d', isHeld: true, expiresAt: 3_000_000, isEnding: true },
    ],
    leftAlone: () => new Map([['NameTaken', 2]]),
    revocationsFailing: () => 1,
    isWebhookUsable: () => false,
  });
  metrics.queueAdded();
  metrics.queueWaited(10);
  metrics.queueWorked(10);
  metrics.queueRetried();
  metrics.reconciled('success');
  metrics.apiCalled({ method: 'GET', code: 200 });
  metrics.apiCalled({ method: 'GET', code: undefined });
  metrics.configValid(false);
  metrics.leading(true);
  metrics.observe({ leftAlone: () => new Map([['NameTaken', 1]]) });
  metrics.credentialAttempted({ provider: 'acr', ok: false, reason: 'Throttled', ms: 20 });
  metrics.credentialAttempted({ provider: 'acr', ok: true, reason: undefined, ms: 20 });
  metrics.wrote({ kind: 'create-secret', reason: 'SecretMissing' });
  metrics.writeFailed({ kind: 'create-secret', reason: 'Forbidden' });
  metrics.skipped('NameTaken');
  metrics.contended();
  metrics.relistMissed('secrets', 2);
  metrics.eventsDropped(3);
  const { contentType, text } = await metrics.render();
  expect(contentType).toMatch(/^text\/plain/);
  for (const line of [
    `${P}_build_info{version="1.2.3"} 1`,
    'workqueue_depth 3',
    'workqueue_unfinished_work 1',
    `${P}_namespaces_in_scope 3`,
    `${P}_secrets_managed 4`,
    `${P}_writes_waiting 5`,
    'workqueue_adds_total 1',
    'workqueue_retries_total 1',
    'workqueue_queue_duration_seconds_count 1',
    'workqueue_work_duration_seconds_sum 0.01',
    'controller_runtime_reconcile_total{result="success"} 1',
    'rest_client_requests_total{code="200",method="GET"} 1',
    'rest_client_requests_total{code="none",method="GET"} 1',
    `${P}_config_valid 0`,
    `${P}_leading 1`,
    `${P}_credential_attempts_total{provider="acr",result="Throttled"} 1`,
    `${P}_credential_attempts_total{provider="acr",result="success"} 1`,
    `${P}_credential_expires_at_seconds{provider="acr",credential="acr/a"} 2000`,
    `${P}_credential_expires_at_seconds{provider="static",credential="ips/d"} 3000`,
    `${P}_credential_held{provider="static",credential="static/b"} 1`,
    `${P}_credential_held{provider="tcr",credential="tcr/c"} 0`,
    `${P}_password_ending{provider="static",credential="ips/d"} 1`,
    `${P}_left_alone{reason="NameTaken"} 3`,
    `${P}_revocations_failing 1`,
    `${P}_webhook_usable 0`,
    `${P}_writes_total{kind="create-secret",reason="SecretMissing"} 1`,
    `${P}_write_failures_total{kind="create-secret",reason="Forbidden"} 1`,
    `${P}_skips_total{reason="NameTaken"} 1`,
    `${P}_contentions_total 1`,
    `${P}_watch_missed_total{kind="secrets"} 2`,
    `${P}_watch_last_activity_timestamp_seconds{kind="secrets"} 1.5`,
    `${P}_watch_restarts{kind="secrets"} 6`,
    `${P}_events_dropped_total 3`,
  ]) {
    expect(text.split('\n').map(unordered)).toContain(unordered(line));
  }
  expect(text).not.toContain(`expires_at_seconds{provider="static",credential="static/b"`);
});

test('a credential that is held no longer has no sample any more', async () => {
  const metrics = createMetrics({ version: '1' });
  let held = [{ provider: 'acr', cacheKey: 'acr/a', isHeld: true, expiresAt: 1_000 }];
  metrics.observe({ credentials: () => held });
  metrics.leading(true);
  expect((await metrics.render()).text).toContain('acr/a');
  held = [];
  expect((await metrics.render()).text).not.toContain('acr/a');
});

test('who leads no longer says nothing of what another replica knows better by now', async () => {
  const metrics = createMetrics({ version: '1' });
  metrics.observe({
    credentials: () => [{ provider: 'acr', cacheKey: 'acr/a', isHeld: true, expiresAt: 1_000, isEnding: false }],
    failingCredentials: () => [{ provider: 'acr', cacheKey: 'acr/a', reason: 'Throttled' }],
    leftAlone: () => new Map([['NameTaken', 1]]),
    revocationsFailing: () => 1,
  });
  const samples = async () =>
    (await metrics.render()).text
      .split('\n')
      .filter((line) => /^[^#].*(acr.a|reason=|_revocations_failing|_standing_down)/.test(line));
  metrics.leading(true);
  metrics.standingDown(true);
  expect(await samples()).toHaveLength(7);
  metrics.leading(false);
  expect(await samples()).toEqual([`${P}_revocations_failing 0`, `${P}_standing_down 0`]);
});

test('a kind that is followed no longer has no sample any more', async () => {
  const metrics = createMetrics({ version: '1' });
  let followed = [{ kind: 'imagepullsecrets', lastActivityAt: 1_500, restarts: 6 }];
  metrics.observe({ reflectors: () => followed });
  expect((await metrics.render()).text).toContain('imagepullsecrets');
  followed = [];
  expect((await metrics.render()).text).not.toContain('imagepullsecrets');
});

test('two programs in one process do not share a registry', async () => {
  const first = createMetrics({ version: '1' });
  createMetrics({ version: '2' }).configValid(true);
  expect((await first.render()).text).not.toContain(`version="2"`);
});

test('a source that throws does not take all metrics with it', async () => {
  const metrics = createMetrics({ version: '1' });
  metrics.observe({
    queueDepth: () => {
      throw new Error('fake');
    },
    reflectors: () => {
      throw new Error('fake');
    },
  });
  metrics.configValid(true);
  expect((await metrics.render()).text).toContain(`${P}_config_valid 1`);
});

test.each([Number.NaN, Infinity, -1])('a count or time of %d does not spoil a counter for ever', async (value) => {
  const metrics = createMetrics({ version: '1' });
  metrics.queueWaited(value);
  metrics.relistMissed('secrets', value);
  metrics.eventsDropped(value);
  expect((await metrics.render()).text).not.toMatch(/NaN|Nan|Infinity/);
});

/** The order of labels is the library's business. */
function unordered(line: string): string {
  return line.replace(/\{(.*)\}/, (_all, labels: string) => `{${labels.split(',').sort().join()}}`);
}
