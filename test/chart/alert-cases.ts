// For each alert what sets it off, and what comes near to that and does not.
import { hostsPodOf, PLACE, podOf, series, type Labels, type Sample, type Series } from '../support/rule-world.ts';

/** One alert: the same minutes twice, with two stories. */
export interface AlertCase {
  readonly alert: string;
  /** Minute by which it has to fire. */
  readonly minutes: number;
  readonly fires: string;
  readonly firing: readonly Series[];
  /** Labels of the alert, but for its name, state and severity. */
  readonly labels: Labels;
  /** What does not set it off, within the same minutes. */
  readonly stays: string;
  readonly silent: readonly Series[];
}

const A = podOf('a');
const B = podOf('b');
const ACR = { provider: 'acr', credential: 'acr/cn-hangzhou/cri-a' };
const IPS = { provider: 'static', credential: 'imagepullsecret/shop' };
const always = (value: number) => (): Sample => value;
const until = (end: number, before: Sample, after: Sample) => (minute: number) => (minute < end ? before : after);
/** `a` leads up to that minute, then, after a minute of nobody, `b`. */
const handedOver = (at: number, metric: string, labels: Labels, minutes: number, value: number): readonly Series[] => [
  series(metric, { ...A, ...labels }, minutes, (minute) => (minute < at ? value : minute === at ? 'stale' : '_')),
  series(metric, { ...B, ...labels }, minutes, (minute) => (minute <= at + 1 ? '_' : value)),
];
const leads = (pod: Labels, minutes: number): Series => series('leading', pod, minutes, always(1));

const leftAlone = (reason: string, alert: string, what: string): AlertCase => ({
  alert: `RegistryCredentialHelper${alert}`,
  minutes: 40,
  fires: `${what}, and another replica leads after a while`,
  firing: handedOver(15, 'left_alone', { reason }, 40, 2),
  labels: PLACE,
  stays: 'it ends after eight minutes, or has another reason',
  silent: [
    series('left_alone', { ...A, reason }, 40, (minute) => (minute < 8 ? 1 : minute === 8 ? 'stale' : '_')),
    series('left_alone', { ...A, reason: 'LastGoodKept' }, 40, always(1)),
  ],
});

/** Every alert, those with two ways to fire once for each. */
export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'RegistryCredentialHelperDown',
    minutes: 40,
    fires: 'the only replica goes and does not come back',
    firing: [series('leading', A, 40, (minute) => (minute < 20 ? 1 : minute === 20 ? 'stale' : '_'))],
    labels: { namespace: 'kube-system' },
    stays: 'all replicas are replaced at once, which takes five minutes',
    silent: [
      series('leading', A, 40, (minute) => (minute < 20 ? 1 : minute === 20 ? 'stale' : '_')),
      series('leading', B, 40, (minute) => (minute < 25 ? '_' : 1)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperNoLeader',
    minutes: 20,
    fires: 'two replicas run, and none leads any more',
    firing: [series('leading', A, 20, until(5, 1, 0)), series('leading', B, 20, always(0))],
    labels: PLACE,
    stays: 'the other replica leads after three minutes',
    silent: [series('leading', A, 20, until(5, 1, 0)), series('leading', B, 20, until(8, 0, 1))],
  },
  {
    alert: 'RegistryCredentialHelperConfigInvalid',
    minutes: 20,
    fires: 'an edit is wrong for every replica',
    firing: [A, B].map((pod) => series('config_valid', pod, 20, until(5, 1, 0))),
    labels: PLACE,
    stays: 'it is put right after eight minutes, or only a replica that begins has not read it yet',
    silent: [
      series('config_valid', A, 20, (minute) => (minute < 2 || minute > 10 ? 1 : 0)),
      series('config_valid', B, 20, (minute) => (minute > 10 && minute < 13 ? 0 : minute < 2 || minute > 10 ? 1 : 0)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperConfigEdited',
    minutes: 1_500,
    fires: 'somebody edited a key, and replicas come and go',
    firing: handedOver(700, 'config_keys_edited', {}, 1_500, 1),
    labels: PLACE,
    stays: 'the edit is written into the values within the day',
    silent: [series('config_keys_edited', A, 1_500, until(1_200, 2, 0))],
  },
  {
    alert: 'RegistryCredentialHelperResourceInvalid',
    minutes: 40,
    fires: 'a resource has an error, and another replica leads after a while',
    firing: handedOver(15, 'resources_invalid', {}, 40, 1),
    labels: PLACE,
    stays: 'whoever wrote it wrong writes it right after eight minutes',
    silent: [series('resources_invalid', A, 40, until(8, 1, 0))],
  },
  {
    alert: 'RegistryCredentialHelperCredentialExpiresSoon',
    minutes: 59,
    fires: 'it is not renewed, although another replica leads by now',
    firing: handedOver(50, 'credential_expires_at_seconds', ACR, 59, 3_600),
    labels: { ...PLACE, ...ACR },
    stays: 'it is renewed in time, and a password that ends is for a person',
    silent: [
      series('credential_expires_at_seconds', { ...A, ...ACR }, 59, until(47, 3_600, 6_300)),
      series('credential_expires_at_seconds', { ...A, ...IPS }, 59, always(3_600)),
      series('password_ending', { ...A, ...IPS }, 59, always(1)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperCredentialUnavailable',
    minutes: 20,
    fires: 'the last one has expired, and none can be had',
    firing: [series('credential_held', { ...A, ...ACR }, 20, until(5, 1, 0))],
    labels: { ...PLACE, ...ACR },
    stays: 'the first attempt failed, and the next ones do not',
    silent: [series('credential_held', { ...A, ...ACR }, 20, until(4, 0, 1))],
  },
  {
    alert: 'RegistryCredentialHelperCredentialFailing',
    minutes: 30,
    fires: 'every attempt is refused',
    firing: [series('credential_failing', { ...A, ...ACR, reason: 'PermissionDenied' }, 30, always(1))],
    labels: { ...PLACE, ...ACR, reason: 'PermissionDenied' },
    stays: 'the cloud is away for ten minutes, or only asks us to slow down',
    silent: [
      series('credential_failing', { ...A, ...ACR, reason: 'CloudUnavailable' }, 30, (minute) =>
        minute < 10 ? 1 : minute === 10 ? 'stale' : '_',
      ),
      series('credential_failing', { ...A, ...ACR, reason: 'Throttled' }, 30, always(1)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperCloudThrottled',
    minutes: 50,
    fires: 'two credentials in turn are refused as too many calls',
    firing: [
      series('credential_failing', { ...A, ...ACR, reason: 'Throttled' }, 50, until(25, 1, 'stale')),
      series('credential_failing', { ...A, ...ACR, credential: 'acr/b', reason: 'Throttled' }, 50, always(1)),
    ],
    labels: { ...PLACE, provider: 'acr' },
    stays: 'it ends after twenty minutes',
    silent: [
      series('credential_failing', { ...A, ...ACR, reason: 'Throttled' }, 50, (minute) =>
        minute < 20 ? 1 : minute === 20 ? 'stale' : '_',
      ),
    ],
  },
  {
    alert: 'RegistryCredentialHelperPasswordExpiresSoon',
    minutes: 30,
    fires: 'a person has to write another one',
    firing: [
      series('password_ending', { ...A, ...IPS }, 30, always(1)),
      series('credential_expires_at_seconds', { ...A, ...IPS }, 30, always(500_000)),
    ],
    labels: { ...PLACE, ...IPS },
    stays: 'the end is far away, or a person has just written another one',
    silent: [
      series('password_ending', { ...A, ...IPS }, 30, until(10, 1, 0)),
      series('credential_expires_at_seconds', { ...A, ...IPS }, 30, until(10, 500_000, 9_000_000)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperPasswordExpired',
    minutes: 30,
    fires: 'its end has passed',
    firing: [
      series('password_ending', { ...A, ...IPS }, 30, always(1)),
      series('credential_expires_at_seconds', { ...A, ...IPS }, 30, always(900)),
    ],
    labels: { ...PLACE, ...IPS },
    stays: 'it ends soon',
    silent: [
      series('password_ending', { ...A, ...IPS }, 30, always(1)),
      series('credential_expires_at_seconds', { ...A, ...IPS }, 30, always(1_860)),
    ],
  },
  leftAlone('NameTaken', 'NameTaken', 'the name of a Secret is taken'),
  leftAlone('Contended', 'Contended', 'somebody keeps removing a reference'),
  leftAlone('WriteRefused', 'WritesRefused', 'a policy refuses our Secrets'),
  {
    alert: 'RegistryCredentialHelperRightsMissing',
    minutes: 60,
    fires: 'a list is refused again and again',
    firing: [
      leads(A, 60),
      series('rest_client_requests_total', { ...A, method: 'GET', code: '403' }, 60, (minute) => minute),
    ],
    labels: { ...PLACE, code: '403' },
    stays: 'it is another program of this namespace, or a write that a policy refuses, or it ends after ten minutes',
    silent: [
      leads(A, 60),
      series('rest_client_requests_total', { ...podOf('other'), method: 'GET', code: '403' }, 60, (minute) => minute),
      series('rest_client_requests_total', { ...A, method: 'PATCH', code: '403' }, 60, (minute) => minute),
      series('rest_client_requests_total', { ...A, method: 'GET', code: '403' }, 60, (minute) => Math.min(minute, 10)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperWatchStale',
    minutes: 30,
    fires: 'nothing comes any more',
    firing: [
      series(
        'watch_last_activity_timestamp_seconds',
        { ...A, kind: 'secrets' },
        30,
        (minute) => Math.min(minute, 10) * 60,
      ),
    ],
    labels: { ...A, kind: 'secrets' },
    stays: 'a connection dies, and after nine minutes there is another',
    silent: [
      series('watch_last_activity_timestamp_seconds', { ...A, kind: 'secrets' }, 30, (minute) =>
        minute < 10 || minute > 19 ? minute * 60 : 600,
      ),
    ],
  },
  {
    alert: 'RegistryCredentialHelperQueueStuck',
    minutes: 60,
    fires: 'it is never empty',
    firing: [leads(A, 60), series('workqueue_depth', A, 60, (minute) => 5 + (minute % 7))],
    labels: PLACE,
    stays: 'it is empty now and then, or is the queue of another program',
    silent: [
      leads(A, 60),
      series('workqueue_depth', A, 60, (minute) => (minute % 20 === 0 ? 0 : 400)),
      series('workqueue_depth', podOf('other'), 60, always(7)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperUnexpectedFailure',
    minutes: 50,
    fires: 'passes end with an error again and again',
    firing: [
      leads(A, 50),
      series('controller_runtime_reconcile_total', { ...A, result: 'error' }, 50, (minute) => Math.floor(minute / 5)),
    ],
    labels: PLACE,
    stays: 'one did, or it is another program',
    silent: [
      leads(A, 50),
      series('controller_runtime_reconcile_total', { ...A, result: 'error' }, 50, until(10, 0, 1)),
      series('controller_runtime_reconcile_total', { ...podOf('other'), result: 'error' }, 50, (minute) => minute),
      series('webhook_requests_total', { ...A, outcome: 'ReferenceMissing' }, 50, (minute) => minute),
    ],
  },
  {
    alert: 'RegistryCredentialHelperUnexpectedFailure',
    minutes: 50,
    fires: 'the webhook cannot decide again and again',
    firing: [series('webhook_requests_total', { ...B, outcome: 'Unexpected' }, 50, (minute) => Math.floor(minute / 5))],
    labels: PLACE,
    stays: 'it could not once',
    silent: [series('webhook_requests_total', { ...B, outcome: 'Unexpected' }, 50, until(10, 0, 1))],
  },
  {
    alert: 'RegistryCredentialHelperWebhookUnusable',
    minutes: 20,
    fires: 'one of two replicas is not trusted',
    firing: [series('webhook_usable', A, 20, always(1)), series('webhook_usable', B, 20, until(5, 1, 0))],
    labels: { ...PLACE, pod: 'b' },
    stays: 'a new one takes some minutes',
    silent: [series('webhook_usable', A, 20, always(1)), series('webhook_usable', B, 20, until(6, 0, 1))],
  },
  {
    alert: 'RegistryCredentialHelperWebhookCertificateExpires',
    minutes: 60,
    fires: 'a replica does not renew its leaf',
    firing: [
      series('webhook_certificate_expires_at_seconds', { ...A, certificate: 'leaf' }, 60, always(14_400)),
      series('webhook_certificate_expires_at_seconds', { ...A, certificate: 'authority' }, 60, always(9_000_000)),
    ],
    labels: { ...PLACE, pod: 'a', certificate: 'leaf' },
    stays: 'both are as long as they are when they are renewed',
    silent: [
      series('webhook_certificate_expires_at_seconds', { ...A, certificate: 'leaf' }, 60, always(3_600 + 28_800)),
      series('webhook_certificate_expires_at_seconds', { ...A, certificate: 'authority' }, 60, always(10_000_000)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperWebhookCertificateExpires',
    minutes: 60,
    fires: 'the leader does not renew the authority',
    firing: [A, B].map((pod) =>
      series('webhook_certificate_expires_at_seconds', { ...pod, certificate: 'authority' }, 60, always(2_592_000)),
    ),
    labels: { ...PLACE, certificate: 'authority' },
    stays: 'a leaf is short before it is renewed',
    silent: [
      series('webhook_certificate_expires_at_seconds', { ...A, certificate: 'leaf' }, 60, (minute) =>
        minute < 50 ? 18_100 : 104_000,
      ),
    ],
  },
  {
    alert: 'RegistryCredentialHelperRevocationPending',
    minutes: 180,
    fires: 'removing fails for hours, with a look in between',
    firing: [series('revocations_failing', A, 180, (minute) => (minute % 10 === 0 ? 0 : 1))],
    labels: PLACE,
    stays: 'it is done after an hour',
    silent: [series('revocations_failing', A, 180, until(60, 1, 0))],
  },
  {
    alert: 'RegistryCredentialHelperStandingDown',
    minutes: 1_500,
    fires: 'the other add-on runs for more than a day',
    firing: handedOver(700, 'standing_down', {}, 1_500, 1),
    labels: PLACE,
    stays: 'the switch takes half a day',
    silent: [series('standing_down', A, 1_500, until(720, 1, 0))],
  },
  {
    alert: 'RegistryCredentialHelperHostsListInvalid',
    minutes: 30,
    fires: 'no node can use it',
    firing: ['x', 'y'].map((pod) => series('hosts_list_valid', hostsPodOf(pod), 30, until(5, 1, 0))),
    labels: { namespace: 'kube-system', job: 'kube-system/hosts' },
    stays: 'it is put right after eight minutes',
    silent: ['x', 'y'].map((pod) =>
      series('hosts_list_valid', hostsPodOf(pod), 30, (minute) => (minute < 5 || minute > 13 ? 1 : 0)),
    ),
  },
  {
    alert: 'RegistryCredentialHelperHostsFileNotKept',
    minutes: 30,
    fires: 'one node cannot write it',
    firing: [
      series('hosts_file_kept', hostsPodOf('x'), 30, always(1)),
      series('hosts_file_kept', hostsPodOf('y'), 30, until(5, 1, 0)),
      ...['x', 'y'].map((pod) => series('hosts_list_valid', hostsPodOf(pod), 30, always(1))),
    ],
    labels: hostsPodOf('y'),
    stays: 'another writer holds the lock for ten minutes, or there is no list to keep it by',
    silent: [
      series('hosts_file_kept', hostsPodOf('x'), 30, until(10, 0, 1)),
      series('hosts_list_valid', hostsPodOf('x'), 30, always(1)),
      series('hosts_file_kept', hostsPodOf('y'), 30, always(0)),
      series('hosts_list_valid', hostsPodOf('y'), 30, always(0)),
    ],
  },
  {
    alert: 'RegistryCredentialHelperHostsBlockUndone',
    minutes: 60,
    fires: 'it is put right once in each cycle',
    firing: [
      series('hosts_writes_total', { ...hostsPodOf('x'), how: 'replaced', reason: 'BlockDamaged' }, 60, (minute) =>
        Math.max(0, minute - 10),
      ),
    ],
    labels: { namespace: 'kube-system', job: 'kube-system/hosts', pod: 'x', node: 'node-of-x' },
    stays: 'a tool rewrites the file every half hour, and the list changes every minute',
    silent: [
      series('hosts_writes_total', { ...hostsPodOf('x'), how: 'replaced', reason: 'BlockDamaged' }, 60, (minute) =>
        Math.floor(minute / 30),
      ),
      series(
        'hosts_writes_total',
        { ...hostsPodOf('x'), how: 'replaced', reason: 'ListChanged' },
        60,
        (minute) => minute,
      ),
    ],
  },
  {
    alert: 'RegistryCredentialHelperHostsConflict',
    minutes: 90,
    fires: 'lines that another tool left stay',
    firing: ['x', 'y'].map((pod) => series('hosts_conflicts', hostsPodOf(pod), 90, always(1))),
    labels: { namespace: 'kube-system', job: 'kube-system/hosts' },
    stays: 'they are removed within half an hour',
    silent: [series('hosts_conflicts', hostsPodOf('x'), 90, until(30, 2, 0))],
  },
];
