// What `self-test` tries beside rights and configuration: each trial gives findings, and may be made again.
import { findAdmissionProbes, type AdmissionProbe } from '../core/admission-probe.ts';
import type { Finding } from '../core/doctor.ts';
import { KubeError } from '../core/errors.ts';
import { VENDOR_HELPER, WEBHOOK_KINDS, webhookName, type WebhookKind } from '../core/names.ts';
import {
  admissionFinding,
  tokenFinding,
  triedOf,
  webhookFinding,
  type SeenAdmission,
  type SeenWebhook,
  type Tried,
} from '../core/self-test.ts';
import { isWanted, type Looked } from '../core/take-over-facts.ts';
import type { ObservedServiceAccount } from '../core/types.ts';
import { tryAdmission } from '../kube/admission-trial.ts';
import { look as lookAt, lookForAccounts, lookForNamespaces, readDeployment } from '../kube/cluster-reads.ts';
import { mayAskForToken } from '../kube/check-permissions.ts';
import { createObjectCalls, isOwnWebhook, webhookPlace } from '../kube/one-object.ts';
import { probeWebhook } from '../webhook/probe.ts';
import type { Look } from './looking.ts';
import type { RulesInForce } from './rules-in-force.ts';

/** One attempt. */
export type Trial = () => Promise<Tried>;

/** What a trial is made in. */
export interface SelfTestScene {
  readonly look: Look;
  readonly rules: RulesInForce;
  readonly signal: AbortSignal;
}

/** The two webhook objects, and what is served where they lead. */
export async function tryWebhooks({ look, rules, signal }: SelfTestScene): Promise<Tried> {
  const { instance, webhook } = look.settings;
  const isServed = webhook.target !== undefined && webhook.address !== '';
  const isSwitchedOn = (kind: WebhookKind): boolean | undefined => {
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
    findings.push(webhookFinding({ kind, name, isWanted: isSwitchedOn(kind), object }));
  }
  return triedOf(findings);
}

/** The tokens that the configuration in force lets RRSA show to the cloud. */
export async function tryTokens({ look, rules, signal }: SelfTestScene): Promise<readonly Finding[]> {
  const identities = rules.configuration.ok ? (rules.configuration.value?.identities ?? []) : [];
  const accounts = identities.flatMap(({ base }) =>
    base.kind === 'rrsa' && base.serviceAccount !== undefined ? [base.serviceAccount] : [],
  );
  const named = [...new Map(accounts.map((account) => [`${account.namespace}/${account.name}`, account]))];
  return Promise.all(
    named.map(async ([place, account]) =>
      tokenFinding(place, await mayAskForToken(look.connection.client, account, signal)),
    ),
  );
}

/** A ServiceAccount in scope, sent as a dry run. */
export async function tryAdmissionOf(scene: SelfTestScene): Promise<Tried> {
  return triedOf([admissionFinding(await seeAdmission(scene))]);
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
  return { kind: error.reason === 'WebhookFailed' ? 'webhook-failed' : 'refused', why: error.message };
}

async function accountsOf({ reads, settings }: Look): Promise<Looked<readonly ObservedServiceAccount[]>> {
  const parts = await Promise.all(
    (settings.namespaces ?? [undefined]).map((namespace) => lookForAccounts(reads, namespace)),
  );
  // A namespace that lacks its Role is told of by the rights.
  const readable = parts.flatMap((part) => (part.ok ? part.value : []));
  return parts.find((part) => !part.ok && settings.namespaces === undefined) ?? { ok: true, value: readable };
}
