// The commands of a take-over in their order, complete for one cluster.
import { managedSelector, VENDOR_HELPER } from './names.ts';
import type { FoundSecret, RegistryIdentity, TakeOverFacts } from './take-over-facts.ts';
import { shownAccounts, usesManagedRole, usesOwnSubject } from './take-over-identities.ts';
import { hasWrongType, placeOf, type Survey } from './take-over-survey.ts';
import { CONSOLE, helperState, numbered, PROGRAM, VENDOR, type HelperState, type Step } from './take-over-steps.ts';
import { count, releaseName } from './take-over-words.ts';

/** What the steps are about. */
interface Context {
  readonly facts: TakeOverFacts;
  readonly survey: Survey;
  readonly release: string;
  readonly identities: readonly RegistryIdentity[];
  readonly helper: HelperState;
}

/** Lines of the section: comments begin with `#`, everything else is a shell command. */
export function commandLines(facts: TakeOverFacts, survey: Survey): readonly string[] {
  const identities = facts.configuration.ok ? (facts.configuration.value?.identities ?? []) : [];
  const context = {
    ...{ facts, survey, identities, helper: helperState(facts, survey) },
    release: releaseName(facts.instance),
  };
  // Without a configuration that is taken ours does nothing: who stopped the other all the same would stop the renewal.
  const first = configure(context);
  if (first.length > 0) return numbered(first);
  const steps = [trust, copy, install, watch, stop, verify, remove, tidy];
  return numbered(steps.flatMap((step) => step(context)));
}

function configure({ facts: { configuration, place } }: Context): readonly Step[] {
  const kubectl = `kubectl -n ${place.namespace}`;
  if (!configuration.ok || configuration.value?.config !== undefined) return [];
  const again = '# Then run this command again: it prints the steps that follow.';
  if (configuration.value !== undefined) {
    const title = 'Put the configuration right: the corrected text stands above, where the mistake is a known one.';
    return [{ title, lines: [`${kubectl} edit configmap ${place.name}`, again] }];
  }
  const lines = [
    "# The managed edition keeps its configuration with the add-on: copy its JSON from ACK's console (the card's Configuration) into addon.json.",
    `${PROGRAM} migrate config --file=addon.json > acr-configuration.yaml`,
    `# The name in it must be ${place.name}: kubectl refuses another one, or puts it where nobody looks.`,
    `${kubectl} create -f acr-configuration.yaml`,
    again,
  ];
  return [{ title: `Make the ConfigMap ${placeOf(place)}: without it ours does nothing.`, lines }];
}

function trust({ facts: { place }, identities }: Context): readonly Step[] {
  if (!usesOwnSubject(identities)) return [];
  const patch = JSON.stringify({ data: { 'rrsa-service-account': placeOf(VENDOR_HELPER) } });
  const title =
    "RRSA: show the cloud the ServiceAccount that the trust policies name. The vendor's add-on does not know the key.";
  const line = `kubectl -n ${place.namespace} patch configmap ${place.name} --type=merge --patch='${patch}'`;
  return [{ title, lines: [line] }];
}

function copy({ facts: { configuration, place }, helper, identities }: Context): readonly Step[] {
  const hasMap = !configuration.ok || configuration.value !== undefined;
  const hasKeys = identities.some(({ base }) => base.kind === 'inline' || base.kind === 'half');
  const hasDeployment = helper === 'runs' || helper === 'stopped' || helper === 'unknown';
  const lines = [
    ...(hasMap
      ? [`kubectl -n ${place.namespace} get configmap ${place.name} -o yaml > ${place.name}.backup.yaml`]
      : []),
    ...(hasMap && hasKeys ? ['# It holds AccessKeys: keep it where you keep keys.'] : []),
    ...(hasDeployment
      ? [`${VENDOR} get deployment ${VENDOR_HELPER.name} -o yaml > ${VENDOR_HELPER.name}.backup.yaml`]
      : []),
  ];
  return lines.length === 0 ? [] : [{ title: 'Keep copies, for the way back.', lines }];
}

function install({ facts, helper, release, identities }: Context): readonly Step[] {
  const { holder, namespace, instance, place } = facts;
  if (holder.ok && holder.value !== undefined) return [];
  const settings = [
    'image.repository=registry.example.com/registry-credential-helper',
    ...(instance === 'default' ? [] : [`instance=${instance}`]),
    ...(place.namespace === namespace ? [] : [`config.namespace=${place.namespace}`]),
    `config.existingConfigMap=${place.name}`,
    ...shownAccounts(identities).map((account) => `rrsa.tokenServiceAccount=${account}`),
  ].map((setting) => ` --set ${setting}`);
  const create = namespace === 'kube-system' ? '' : ' --create-namespace';
  const what = {
    runs: 'Install ours, from a checkout of the project, with your image. It stands down while the Deployment runs: it asks the clouds and writes nothing that the other would undo.',
    unknown:
      'Install ours, from a checkout of the project, with your image. It stands down while the Deployment runs, if there is one.',
    managed:
      'Install ours, from a checkout of the project, with your image. It adopts at once, and both write valid credentials into the same Secrets until the managed edition is removed: do not wait for long.',
    stopped: 'Install ours, from a checkout of the project, with your image. It adopts at once: the other is stopped.',
    gone: 'Install ours, from a checkout of the project, with your image. It adopts at once: the other is gone.',
  }[helper];
  const line = `helm install ${release} charts/registry-credential-helper --namespace ${namespace}${create}${settings.join('')}`;
  return [{ title: what, lines: [line, `kubectl -n ${namespace} rollout status deployment/${release}`] }];
}

function watch({ facts: { namespace, place }, helper, release }: Context): readonly Step[] {
  const lines = [
    `kubectl -n ${namespace} logs --selector=app.kubernetes.io/instance=${release} --tail=-1 --prefix`,
    '# A line "Obtained a credential" for each registry says as whom it was asked; "Credential could not be obtained" names what to mend.',
    `kubectl -n ${place.namespace} describe configmap ${place.name}`,
    ...(helper === 'runs' || helper === 'unknown'
      ? ['# While the other runs an Event VendorHelperRuns stands there.']
      : []),
  ];
  return [{ title: 'Observe. Go on only when every registry has a credential.', lines }];
}

function stop({ facts: { configuration }, helper }: Context): readonly Step[] {
  if (helper !== 'runs' && helper !== 'unknown') return [];
  const hasWebhook = configuration.ok && configuration.value?.config?.webhook !== undefined;
  const lines = [
    ...(hasWebhook
      ? [
          '# Its webhook may stay behind, unanswered: with the policy Fail no ServiceAccount can be created then. Delete the one that is its own, right after:',
          `kubectl get mutatingwebhookconfigurations -o 'custom-columns=NAME:.metadata.name,SERVICE:.webhooks[*].clientConfig.service.name,POLICY:.webhooks[*].failurePolicy'`,
        ]
      : []),
    `${VENDOR} scale deployment ${VENDOR_HELPER.name} --replicas=0`,
  ];
  return [{ title: 'Stop the other. What it wrote works on meanwhile; ours takes over within seconds.', lines }];
}

function verify({ facts: { instance }, survey: { secrets } }: Context): readonly Step[] {
  const all = secrets === undefined ? 0 : secrets.adopted.length + secrets.own.length + secrets.created.length;
  const taken = (secrets?.taken ?? []).filter(hasWrongType).map(deletion);
  const lines = [
    `kubectl get secrets --all-namespaces --selector=${managedSelector(instance)}`,
    ...(secrets === undefined
      ? []
      : [`# ${count(all, 'Secret')} ${all === 1 ? 'is' : 'are'} expected. Then let a new Pod pull an image.`]),
    ...(taken.length === 0
      ? []
      : ['# Those of the wrong type are in the way; ours writes them anew within ten minutes:', ...taken]),
  ];
  return [{ title: 'See that ours adopted.', lines }];
}

function remove({ facts, helper, identities }: Context): readonly Step[] {
  if (helper === 'gone') return [];
  const { place, namespace, configuration } = facts;
  const hasMap = configuration.ok && configuration.value !== undefined;
  const usesRrsa = identities.some(({ base }) => base.kind === 'rrsa');
  const lines = [
    ...(usesManagedRole(identities)
      ? [
          '# Before: another identity than the managed role must be at hand, see above. After: run this command again; it says until when the session works.',
        ]
      : []),
    helper === 'managed'
      ? `${CONSOLE} of the managed edition, Uninstall.`
      : `${CONSOLE} ${VENDOR_HELPER.name}, Uninstall. Where it was not installed by ACK:`,
    ...(helper === 'managed' ? [] : [`${VENDOR} delete deployment ${VENDOR_HELPER.name} --ignore-not-found`]),
    ...(hasMap
      ? [
          '# Should the ConfigMap have gone with it:',
          `kubectl -n ${place.namespace} get configmap ${place.name} || kubectl -n ${place.namespace} create -f ${place.name}.backup.yaml`,
        ]
      : []),
    ...(usesRrsa && namespace !== VENDOR_HELPER.namespace
      ? [
          '# Should the ServiceAccount that RRSA shows have gone with it:',
          `${VENDOR} get serviceaccount ${VENDOR_HELPER.name} || ${VENDOR} create serviceaccount ${VENDOR_HELPER.name}`,
        ]
      : []),
  ];
  const title = helper === 'managed' ? 'Remove the other.' : 'Remove the other, when all is well for a day.';
  return [{ title, lines }];
}

function tidy({ survey: { secrets } }: Context): readonly Step[] {
  const stale = [...(secrets?.left ?? []), ...(secrets?.outside ?? [])];
  if (stale.length === 0) return [];
  const byName = [...Map.groupBy(stale, ({ name }) => name)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    '# Not before the other is removed. Pods and templates that name such a Secret themselves must be changed first.',
    ...byName.map(([name, group]) => deletionOf(name, group)),
  ];
  return [{ title: 'Remove the Secrets that nobody renews any more.', lines }];
}

function deletion(secret: FoundSecret): string {
  return deletionOf(secret.name, [secret]);
}

function deletionOf(name: string, group: readonly FoundSecret[]): string {
  const namespaces = group.map(({ namespace }) => namespace).sort();
  if (namespaces.length === 1) return `kubectl -n ${namespaces[0] ?? ''} delete secret ${name}`;
  return `for namespace in ${namespaces.join(' ')}; do kubectl -n "$namespace" delete secret ${name}; done`;
}
