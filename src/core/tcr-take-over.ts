// The plan of a move from Tencent's add-on to us, for people: what is there, what would happen, which tokens are left behind, which
// commands, and the way back (tcr.md sections 1, 3, 6, 7 and 12). Nothing here decides anything for the controller.
import { DECLARED_LABEL, HOSTS_UPDATER, RESOURCE_SECRET_PREFIX, TCR_ASSISTANT, TCR_WEBHOOK } from './names.ts';
import { maskKeys } from './secrecy.ts';
import {
  ownLine,
  places,
  planPage,
  referenceLines,
  some,
  takenLine,
  writtenLines,
  type Section,
} from './take-over-lines.ts';
import { placeOf, surveyCluster, type Survey } from './take-over-survey.ts';
import { count, listed, plain } from './take-over-words.ts';
import { tcrCommandLines } from './tcr-take-over-commands.ts';
import type { FoundTcrResource, TcrTakeOverFacts } from './tcr-take-over-facts.ts';
import { endLine, tokenLines } from './tcr-take-over-tokens.ts';
import { tcrWayBackLines } from './tcr-take-over-way-back.ts';

/** Secrets that TKE's console made, for its own add-ons and workloads (tcr.md section 17). */
const CONSOLE_SECRET = /^(qcloudregistrykey|tencenthubkey|\d+-tcr-[a-z0-9]+-dockercfg)$/;

/** True for names of Secrets that the plan speaks of. */
export function isTcrSecretName(name: string): boolean {
  return name.startsWith(RESOURCE_SECRET_PREFIX) || CONSOLE_SECRET.test(name);
}

/** The plan as text, every line ended. Holds no secret. */
export function renderTcrTakeOver(facts: TcrTakeOverFacts): string {
  const survey = surveyCluster({ ...facts, isVendors: (name) => name.startsWith(RESOURCE_SECRET_PREFIX) });
  const sections: readonly Section[] = [
    ['What is there', present(facts, survey)],
    ['What would happen', future(facts, survey)],
    ['Tokens, and how to revoke them', tokenLines(facts)],
    ['Commands, in this order', tcrCommandLines(facts, survey)],
    ['The way back', tcrWayBackLines(facts)],
  ];
  return planPage('tcr-assistant', facts.now, sections);
}

function present(facts: TcrTakeOverFacts, survey: Survey): readonly string[] {
  return [
    ...vendorLines(facts),
    ...definitionLines(facts),
    ...resourceLines(facts),
    ...secretLines(facts, survey),
    ...hostsLines(facts),
    ownLine(facts),
    ...survey.otherInstances.map(
      (other) =>
        `Another installation of ours keeps Secrets in this cluster: instance ${plain(other)}. Every installation serves all resources: run only one where there are any.`,
    ),
  ].map((line) => (line.startsWith(' ') ? line : `- ${line}`));
}

function vendorLines({ assistant, webhook }: TcrTakeOverFacts): readonly string[] {
  const name = `Deployment ${placeOf(TCR_ASSISTANT)}`;
  const manager = assistant.ok
    ? assistant.value === undefined
      ? `there is no ${name}: it is gone, or was never installed`
      : `${name}, ${assistant.value.replicas === 0 ? 'stopped (0 replicas)' : `runs (${count(assistant.value.replicas, 'replica')})`}, image ${plain(assistant.value.image ?? 'unknown')}`
    : `the ${name} could not be looked for: ${assistant.cure}`;
  const blocks =
    'with the policy Fail nobody can write a resource while the Deployment does not answer: it goes with the Deployment, below';
  const policies = webhook.ok ? webhook.value : undefined;
  const check = !webhook.ok
    ? [`Its webhook could not be looked for: ${webhook.cure}.`]
    : policies === undefined
      ? []
      : [
          `Its webhook: ValidatingWebhookConfiguration ${TCR_WEBHOOK}, failure policy ${listed([...new Set(policies)].map(plain))}${policies.includes('Fail') ? `: ${blocks}` : ''}.`,
        ];
  return [`Tencent's add-on: ${manager}.`, ...check];
}

function definitionLines({ definition }: TcrTakeOverFacts): readonly string[] {
  if (!definition.ok) return [`Definition: it could not be looked for: ${definition.cure}.`];
  const { value } = definition;
  if (value === undefined) return ['Definition: the cluster does not know ImagePullSecret: there are no resources.'];
  const owner =
    value.release === undefined
      ? 'of no Helm release'
      : `of the Helm release ${plain(value.release)}: whoever uninstalls that deletes the definition, and every resource with it. The annotation helm.sh/resource-policy on the definition does not prevent it: Helm reads its own record of the release`;
  return [`Definition: imagepullsecrets.tcr.tencentcloudcr.com, ${owner}.`];
}

function resourceLines({ resources, now }: TcrTakeOverFacts): readonly string[] {
  if (!resources.ok) return [`Resources: they could not be listed: ${resources.cure}.`];
  if (resources.value.length === 0) return ['Resources: there are none.'];
  return [
    `Resources: ${count(resources.value.length, 'ImagePullSecret')}.`,
    ...resources.value.flatMap((resource) => [
      `  ${plain(resource.name)}: namespaces ${shown(resource.namespaces)}, ServiceAccounts ${shown(resource.serviceAccounts)}, registry ${shown(resource.server, 'none')}.${endLine(resource, now)}`,
      ...issueLines(resource),
    ]),
  ];
}

/** What somebody wrote into a list, or where a host should be: it could be anything, a password too. */
function shown(text: string | undefined, absent = '*'): string {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return absent;
  return /^[a-z0-9.*:,\s-]+$/.test(trimmed) ? maskKeys(plain(trimmed)) : '(no names: not shown)';
}

function issueLines({ issues }: FoundTcrResource): readonly string[] {
  return issues.map(({ severity, path, message }) => `    ${severity}: ${path} ${message}.`);
}

function secretLines({ secrets }: TcrTakeOverFacts, { vendors }: Survey): readonly string[] {
  if (!secrets.ok) return [`Secrets: they could not be listed: ${secrets.cure}. Only their metadata would be read.`];
  const byName = [...Map.groupBy(vendors, ({ name }) => name)].sort(([a], [b]) => (a < b ? -1 : 1));
  const consoles = secrets.value.filter(({ name }) => CONSOLE_SECRET.test(name));
  return [
    ...(vendors.length === 0 ? ["Secrets: none of the vendor's is left as it wrote it."] : []),
    ...byName.map(
      ([name, group]) =>
        `Secrets ${plain(name)}: in ${count(group.length, 'namespace')}: ${listed(group.map(({ namespace }) => namespace))}.`,
    ),
    ...some(
      consoles,
      `${count(consoles.length, 'Secret')} of TKE's console, which are not this add-on's, and are not touched: ${places(consoles)}. Workloads that name them pull with what they hold.`,
    ),
  ];
}

function hostsLines({ updaters, hosts }: TcrTakeOverFacts): readonly string[] {
  const { daemonSet, configMap } = HOSTS_UPDATER;
  const running = updaters.ok
    ? updaters.value.map(
        (namespace) =>
          `hosts-updater: DaemonSet ${namespace}/${daemonSet}. It rewrites /etc/hosts of the nodes by itself, whether the manager runs or not.`,
      )
    : [`hosts-updater: it could not be looked for: ${updaters.cure}.`];
  const lists = hosts.ok
    ? hosts.value.map(({ namespace, domains }) => {
        const on = domains?.filter(({ isOn }) => isOn).map(({ domain }) => plain(domain));
        const what =
          on === undefined
            ? 'cannot be read as a list'
            : `${count(on.length, 'name')} ${on.length === 1 ? 'is' : 'are'} on${on.length === 0 ? '' : `: ${listed(on)}`}`;
        return `hosts-updater: ConfigMap ${namespace}/${configMap}, ${what}.`;
      })
    : [`hosts-updater: its ConfigMap could not be read: ${hosts.cure}.`];
  return [...running, ...lists];
}

function future(facts: TcrTakeOverFacts, survey: Survey): readonly string[] {
  const { secrets } = survey;
  const refused = (facts.resources.ok ? facts.resources.value : []).filter(({ rule }) => rule === undefined);
  const waiting = some(
    refused,
    `${count(refused.length, 'resource')} cannot be understood, and nothing is done for ${refused.length === 1 ? 'it' : 'them'} until corrected; what was written stays: ${listed(refused.map(({ name }) => plain(name)))}.`,
  );
  if (secrets === undefined) {
    const what =
      'Not known: it takes a resource that is understood, the namespaces and the Secrets. What is missing stands above.';
    return [...waiting, what].map((line) => `- ${line}`);
  }
  const stale = [...secrets.left, ...secrets.outside];
  return [
    ...waiting,
    ...writtenLines(secrets),
    ...secrets.taken.map((secret) =>
      takenLine(
        secret,
        'it belongs to somebody else, or `adopt-existing` forbids it: allow that, or rename the resource',
      ),
    ),
    ...some(
      stale,
      `${count(stale.length, 'Secret')} under the vendor's names would be left: no resource reaches ${stale.length === 1 ? 'its namespace' : 'their namespaces'}, and nobody renews ${stale.length === 1 ? 'it' : 'them'} any more: ${places(stale)}. Remove them after the switch, as below.`,
    ),
    ...referenceLines(facts, survey),
    `A resource stays whose it is: ours serves it, and deletes none but those that it made itself, which bear the label ${DECLARED_LABEL}.`,
  ].map((line) => `- ${line}`);
}
