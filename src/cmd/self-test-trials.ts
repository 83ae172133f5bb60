// What `self-test` tries beside rights and configuration: each trial gives findings, and may be made again.
import { findAdmissionProbes, type AdmissionProbe } from '../core/admission-probe.ts';
import type { Finding } from '../core/doctor.ts';
import { KubeError } from '../core/errors.ts';
import { unknownHosts, wantedLogins, type WantedLogin } from '../core/logins.ts';
import { stateSecretName, VENDOR_HELPER, WEBHOOK_KINDS, webhookName, type WebhookKind } from '../core/names.ts';
import {
  admissionFinding,
  loginFinding,
  webhookFinding,
  type SeenAdmission,
  type SeenLogin,
  type SeenWebhook,
} from '../core/self-test.ts';
import { isWanted, type Looked } from '../core/take-over-facts.ts';
import type { Credential, ObservedServiceAccount } from '../core/types.ts';
import { readState } from '../controller/state.ts';
import { tryLogin } from '../credentials/registry-login.ts';
import { parseSnapshot } from '../credentials/snapshot.ts';
import { tryAdmission } from '../kube/admission-trial.ts';
import { look as lookAt, lookForAccounts, lookForNamespaces, readDeployment } from '../kube/cluster-reads.ts';
import { createLimiter } from '../kube/limiter.ts';
import { createObjectCalls, isOwnWebhook, webhookPlace } from '../kube/one-object.ts';
import { createStateSecret } from '../kube/state-secret.ts';
import { probeWebhook } from '../webhook/probe.ts';
import type { Look } from './looking.ts';
import type { RulesInForce } from './rules-in-force.ts';

/** One attempt. */
export type Trial = () => Promise<readonly Finding[]>;

/** What a trial is made in. */
export interface SelfTestScene {
  readonly look: Look;
  readonly rules: RulesInForce;
  readonly signal: AbortSignal;
}

/** Logins under way at a time, and most of all. */
const CONCURRENT_LOGINS = 4;
const MAX_LOGINS = 100;

/** The two webhook objects, and what is served where they lead. */
export async function tryWebhooks({ look, rules, signal }: SelfTestScene): Promise<readonly Finding[]> {
  const { instance, webhook } = look.settings;
  const isServed = webhook.target !== undefined && webhook.address !== '';
  const isWanted = (kind: WebhookKind): boolean | undefined => {
    if (!isServed) return false;
    if (kind === 'ValidatingWebhookConfiguration') return true;
    return rules.config === undefined ? undefined : rules.config.webhook !== undefined;
  };
  const findings: Finding[] = [];
  for (const kind of WEBHOOK_KINDS) {
    const name = webhookName(instance);
    const live = await createObjectCalls(look.connection.client, webhookPlace(kind, name)).read(signal);
    let object: SeenWebhook['object'];
    if (live === undefined) object = 'absent';
    else object = isOwnWebhook(live, instance) ? await probeWebhook(live, signal) : 'foreign';
    findings.push(webhookFinding({ kind, name, isWanted: isWanted(kind), object }));
  }
  return findings;
}

/** A ServiceAccount in scope, sent as a dry run. */
export async function tryAdmissionOf(scene: SelfTestScene): Promise<readonly Finding[]> {
  return [admissionFinding(await seeAdmission(scene))];
}

async function seeAdmission({ look, rules, signal }: SelfTestScene): Promise<SeenAdmission> {
  const { reads, connection, settings } = look;
  const { client, namespace: ownNamespace } = connection;
  const skip = (why: string): SeenAdmission => ({ kind: 'skipped', why });
  const { config } = rules;
  if (config === undefined) return skip('what is in scope is not known');
  if (config.webhook === undefined) return skip('the key webhook-configuration does not switch the webhook on');
  const helper = await lookAt('', () => readDeployment(reads, VENDOR_HELPER));
  if (isWanted(helper)) return skip("Alibaba's add-on runs: it is left to it");
  const [namespaces, accounts] = await Promise.all([lookForNamespaces(reads), accountsOf(look)]);
  if (!namespaces.ok) return skip(`it takes a right: ${namespaces.cure}`);
  if (!accounts.ok) return skip(`it takes a right: ${accounts.cure}`);
  const world = { config, ownNamespace, served: settings.namespaces };
  const probes = findAdmissionProbes({ ...world, namespaces: namespaces.value, accounts: accounts.value });
  let refused: SeenAdmission | undefined;
  for (const probe of probes) {
    const references = await lookAt('', () => tryAdmission(client, probe, signal)).catch(refusalOf);
    if ('kind' in references) refused = references;
    // Who may not create ServiceAccounts sees it by a change.
    else if (references.ok) return answered(probe, references.value);
  }
  if (refused !== undefined) return refused;
  return skip(
    'no ServiceAccount in scope shows it: none has a reference of ours, and a new one may not be created or would not be meant',
  );
}

function answered(probe: AdmissionProbe, references: readonly string[]): SeenAdmission {
  const { namespace, name } = probe.kind === 'create' ? probe : probe.account;
  const { kind: how, expected } = probe;
  return { kind: 'answered', how, place: `${namespace}/${name}`, expected, references };
}

/** Admission itself, or what changed meanwhile; not that nobody answers. */
function refusalOf(error: unknown): SeenAdmission {
  if (!(error instanceof KubeError) || ['Unavailable', 'Unauthorized', 'Aborted'].includes(error.reason)) throw error;
  return { kind: 'refused', why: error.message };
}

async function accountsOf({ reads, settings }: Look): Promise<Looked<readonly ObservedServiceAccount[]>> {
  const parts = await Promise.all(
    (settings.namespaces ?? [undefined]).map((namespace) => lookForAccounts(reads, namespace)),
  );
  // A namespace that lacks its Role is told of by the rights.
  const readable = parts.flatMap((part) => (part.ok ? part.value : []));
  return parts.find((part) => !part.ok && settings.namespaces === undefined) ?? { ok: true, value: readable };
}

/** One login at each host that is configured. */
export async function tryLogins({ look, rules, signal }: SelfTestScene): Promise<readonly Finding[]> {
  const skipped = (why: string): readonly Finding[] => [
    { level: 'SKIP', subject: 'registries', sentences: [`Not tried: ${why}.`] },
  ];
  if (!look.settings.selfTest.registries) return skipped('it is not asked for with --registries');
  if (rules.config === undefined) return skipped('what is configured is not known');
  const held = await heldCredentials(look, signal);
  const wanted = wantedLogins(rules.config, held);
  const unknown = unknownHosts(rules.config, held);
  if (wanted.length === 0 && unknown.length === 0) return skipped('none is configured');
  const lane = createLimiter(CONCURRENT_LOGINS);
  const tried = wanted.slice(0, MAX_LOGINS);
  const seen = await Promise.all(tried.map((login) => lane.run('normal', () => seeLogin(login, signal))));
  const more = wanted.length - tried.length;
  return [
    ...seen.map(loginFinding),
    ...unknown.map((key) => loginFinding({ host: `of ${key}`, outcome: NONE_HELD })),
    ...(more === 0 ? [] : skipped(`${more} more than ${MAX_LOGINS}`)),
  ];
}

const NONE_HELD: SeenLogin['outcome'] = {
  kind: 'failed',
  why: 'The master copy holds no credential for it that is valid',
  cure: 'see the Events of the ConfigMap, or of the resource: they name why there is none',
};

async function seeLogin({ host, address, credential }: WantedLogin, signal: AbortSignal): Promise<SeenLogin> {
  if (credential === undefined) return { host, outcome: NONE_HELD };
  if (address === undefined) return { host, outcome: { kind: 'skipped', why: 'it is a pattern for many hosts' } };
  return { host, outcome: await tryLogin(address, credential, signal) };
}

/** By the keys of their requests. */
async function heldCredentials(
  { connection, settings, now }: Look,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Credential>> {
  const { client, namespace, secrets } = connection;
  const { instance } = settings;
  const place = { namespace, name: stateSecretName(instance), instance };
  const { credentials } = await readState(createStateSecret(client, place), signal);
  const stored = credentials === undefined ? [] : parseSnapshot(credentials, now).stored;
  for (const { cacheKey, credential } of stored) secrets.register(cacheKey, [credential.password]);
  return new Map(stored.map(({ cacheKey, credential }) => [cacheKey, credential]));
}
