// The plan of a move from Alibaba's add-on to us, for people: what is there, what would happen, what to check, which commands, and
// the way back (acr.md sections 1, 9, 10, 18 and 19). Nothing here decides anything for the controller.
import { correctedKey } from './corrections.ts';
import { ACR_SECRET_NAME, VENDOR_HELPER } from './names.ts';
import { commandLines } from './take-over-commands.ts';
import type { TakeOverFacts } from './take-over-facts.ts';
import { identityLines } from './take-over-identities.ts';
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
import { placeOf, surveyTakeOver, type Survey } from './take-over-survey.ts';
import { wayBackLines } from './take-over-way-back.ts';
import { agoText, count, listed, plain } from './take-over-words.ts';

/** The plan as text, every line ended. Holds no secret. */
export function renderTakeOver(facts: TakeOverFacts): string {
  const survey = surveyTakeOver(facts);
  const sections: readonly Section[] = [
    ['What is there', present(facts, survey)],
    ['What would happen', future(facts, survey)],
    ['Identities, and what to check', identityLines(facts)],
    ['Commands, in this order', commandLines(facts, survey)],
    ['The way back', wayBackLines(facts, survey)],
  ];
  return planPage(VENDOR_HELPER.name, facts.now, sections);
}

function present(facts: TakeOverFacts, survey: Survey): readonly string[] {
  return [
    ...helperLines(facts, survey),
    ...configurationLines(facts),
    ...scopeLines(facts, survey),
    ...secretLines(facts, survey),
    ...installationLines(facts, survey),
  ].map((line) => (line.startsWith(' ') || line === '' ? line : `- ${line}`));
}

function helperLines({ helper, now }: TakeOverFacts, { recent }: Survey): readonly string[] {
  const name = `Deployment ${placeOf(VENDOR_HELPER)}`;
  if (!helper.ok) return [`Alibaba's add-on: the ${name} could not be looked for: ${helper.cure}.`];
  const { value } = helper;
  if (value !== undefined) {
    const state = value.replicas === 0 ? 'stopped (0 replicas)' : `runs (${count(value.replicas, 'replica')})`;
    return [`Alibaba's add-on: ${name}, ${state}, image ${plain(value.image ?? 'unknown')}.`];
  }
  if (recent?.othersWrote === undefined) {
    return [
      `Alibaba's add-on: there is no ${name}, and within the last hour nobody wrote a Secret under its names: it is gone.`,
    ];
  }
  const { manager, at } = recent.othersWrote;
  return [
    `Alibaba's add-on: there is no ${name}, but ${plain(manager)} wrote the Secret ${placeOf(recent)} ${agoText(now - at)} ago: the managed`,
    '  edition runs, most likely. It has no Pod in the cluster, so that ours cannot see when it is stopped.',
  ];
}

function configurationLines({ configuration, place }: TakeOverFacts): readonly string[] {
  const name = `ConfigMap ${placeOf(place)}`;
  if (!configuration.ok) return [`Configuration: the ${name} could not be read: ${configuration.cure}.`];
  const { value } = configuration;
  if (value === undefined) return [`Configuration: there is no ${name}.`];
  const { config, remarks } = value;
  const registries = config?.rules.reduce((sum, rule) => sum + rule.requests.length, 0) ?? 0;
  const verdict =
    config === undefined
      ? 'refused: until it is right nothing would be done'
      : `valid: ${registries === 1 ? '1 registry' : `${registries} registries`}, adopt-existing is ${config.adoptExisting}`;
  return [
    `Configuration: ${name}, ${verdict}.`,
    ...remarks.flatMap(({ severity, path, sentence, correction }) => [
      `  ${severity}: ${sentence}`,
      ...(correction === undefined
        ? []
        : [
            '',
            ...correctedKey(path, correction)
              .split('\n')
              .map((line) => `  ${line}`),
            '',
          ]),
    ]),
  ];
}

function scopeLines({ namespaces, configuration }: TakeOverFacts, { inScope }: Survey): readonly string[] {
  if (!namespaces.ok) return [`Scope: the namespaces could not be read: ${namespaces.cure}.`];
  if (inScope === undefined) {
    const why = configuration.ok ? 'there is no valid configuration' : 'the configuration could not be read';
    return [
      `Scope: ${count(namespaces.value.length, 'namespace')} in the cluster; which are in scope is not known: ${why}.`,
    ];
  }
  const names = inScope.length === 0 ? '' : `: ${listed(inScope.map(({ name }) => name))}`;
  return [`Scope: ${inScope.length} of ${count(namespaces.value.length, 'namespace')}${names}.`];
}

function secretLines({ secrets }: TakeOverFacts, { vendors }: Survey): readonly string[] {
  if (!secrets.ok) return [`Secrets: they could not be listed: ${secrets.cure}. Only their metadata would be read.`];
  if (vendors.length === 0) return ["Secrets: none of the vendor's is left as it wrote it."];
  const byName = [...Map.groupBy(vendors, ({ name }) => name)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byName.map(([name, group]) => {
    const era = name === ACR_SECRET_NAME ? '' : ', an older name';
    return `Secrets ${name}${era}: in ${count(group.length, 'namespace')}: ${listed(group.map(({ namespace }) => namespace))}.`;
  });
}

function installationLines(
  { holder, instance, namespace }: TakeOverFacts,
  { otherInstances }: Survey,
): readonly string[] {
  return [
    ownLine({ holder, instance, namespace }),
    ...otherInstances.map(
      (other) =>
        `Another installation of ours keeps Secrets in this cluster: instance ${plain(other)}. Two serve the same namespaces only under different \`acr-secret-name\` and \`secret-name\`; --instance shows the plan of that one.`,
    ),
  ];
}

function future(facts: TakeOverFacts, survey: Survey): readonly string[] {
  const { secrets } = survey;
  if (secrets === undefined) {
    return [
      '- Not known: it takes a valid configuration, the namespaces and the Secrets. What is missing stands above.',
      ...(survey.vendors.length === 0 ? [] : ["- The vendor's Secrets stay as they are until then."]),
    ];
  }
  const { taken, left, outside } = secrets;
  return [
    ...writtenLines(secrets),
    ...taken.map((secret) => takenLine(secret, FOREIGN)),
    ...some(
      left,
      `${count(left.length, 'Secret')} under another name of the vendor's would be left, with a credential that nobody renews any more: ${places(left)}.` +
        ' To go on under such a name, set `acr-secret-name` to it: then it is adopted in place. Else remove them after the switch, as below.',
    ),
    ...some(
      outside,
      `${count(outside.length, 'Secret')} outside of the scope would be left, with a credential that nobody renews any more: ${places(outside)}.` +
        ' Widen `watch-namespace` where images are pulled there, or remove them after the switch.',
    ),
    ...referenceLines(facts, survey),
  ].map((line) => `- ${line}`);
}

/** Why a Secret of the right type is not ours to take, and the cure. */
const FOREIGN =
  'it belongs to somebody else, or `adopt-existing` forbids it: allow that, or choose another `acr-secret-name` or `secret-name`';
