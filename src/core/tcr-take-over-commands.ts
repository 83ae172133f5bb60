// The commands of a move from Tencent's add-on in their order, complete for one cluster.
import { DEFINITION_NAME, HOSTS_UPDATER, managedSelector, TCR_ASSISTANT, TCR_WEBHOOK } from './names.ts';
import { numbered, type Step } from './take-over-steps.ts';
import { placeOf, type Survey } from './take-over-survey.ts';
import { count, releaseName } from './take-over-words.ts';
import type { TcrTakeOverFacts } from './tcr-take-over-facts.ts';

/** Beginning of the commands that are about the vendor's add-on. */
export const ASSISTANT = `kubectl -n ${TCR_ASSISTANT.namespace}`;

/** The resources by their full name: another kind may have the short one. */
export const RESOURCES = DEFINITION_NAME;

const CRD_FILE = 'charts/registry-credential-helper/files/imagepullsecrets.yaml';

/** What is known of the manager. */
type State = 'runs' | 'stopped' | 'gone' | 'unknown';

/** Which of the states it is. */
export function assistantState({ assistant }: TcrTakeOverFacts): State {
  if (!assistant.ok) return 'unknown';
  if (assistant.value === undefined) return 'gone';
  return assistant.value.replicas === 0 ? 'stopped' : 'runs';
}

/** Lines of the section: comments begin with `#`, everything else is a shell command. */
export function tcrCommandLines(facts: TcrTakeOverFacts, survey: Survey): readonly string[] {
  const steps = [copy, install, define, observe, stop, verify, renew, remove, tidy];
  return numbered(steps.flatMap((step) => step(facts, survey)));
}

function copy(facts: TcrTakeOverFacts): readonly Step[] {
  const { hosts, webhook, definition } = facts;
  const hasResources = !definition.ok || definition.value !== undefined;
  const lines = [
    ...(hasResources
      ? [
          `kubectl get crd ${RESOURCES} -o yaml > definition.backup.yaml`,
          `kubectl get ${RESOURCES} -o yaml > resources.backup.yaml`,
          '# The second holds passwords: keep it where you keep keys.',
        ]
      : []),
    ...(assistantState(facts) === 'gone'
      ? []
      : [`${ASSISTANT} get deployment ${TCR_ASSISTANT.name} -o yaml > ${TCR_ASSISTANT.name}.backup.yaml`]),
    ...(webhook.ok && webhook.value === undefined
      ? []
      : [`kubectl get validatingwebhookconfiguration ${TCR_WEBHOOK} -o yaml > webhook.backup.yaml`]),
    ...(hosts.ok ? hosts.value : []).map(
      ({ namespace }) =>
        `kubectl -n ${namespace} get configmap ${HOSTS_UPDATER.configMap} -o yaml > ${namespace}.hosts.backup.yaml`,
    ),
  ];
  return lines.length === 0 ? [] : [{ title: 'Keep copies, for the way back.', lines }];
}

function install(facts: TcrTakeOverFacts): readonly Step[] {
  const { holder, namespace, instance, definition } = facts;
  if (holder.ok && holder.value !== undefined) return [];
  const release = releaseName(instance);
  const settings = [
    'image.repository=registry.example.com/registry-credential-helper',
    ...(instance === 'default' ? [] : [`instance=${instance}`]),
    // It is the other add-on's, and goes on being so.
    ...(definition.ok && definition.value === undefined ? [] : ['crds.install=false']),
  ].map((setting) => ` --set ${setting}`);
  const create = namespace === 'kube-system' ? '' : ' --create-namespace';
  const then = {
    runs: 'It stands down while the manager runs: it says so in each resource, and writes nothing else.',
    unknown: 'It stands down while the manager runs, if there is one.',
    stopped: 'It takes over at once: the manager is stopped.',
    gone: 'It takes over at once: there is no manager.',
  }[assistantState(facts)];
  const title = `Install ours, from a checkout of the project, with your image. ${then}`;
  const line = `helm install ${release} charts/registry-credential-helper --namespace ${namespace}${create}${settings.join('')}`;
  return [{ title, lines: [line, `kubectl -n ${namespace} rollout status deployment/${release}`] }];
}

function define({ definition }: TcrTakeOverFacts): readonly Step[] {
  if (definition.ok && definition.value === undefined) return [];
  const title =
    'Let the definition know our fields (conditions, exclusions, minted tokens). It is changed in place, no resource goes, and what the manager knows stays.';
  return [{ title, lines: [`kubectl apply --server-side --force-conflicts -f ${CRD_FILE}`] }];
}

function observe(facts: TcrTakeOverFacts): readonly Step[] {
  if (['stopped', 'gone'].includes(assistantState(facts))) return [];
  const lines = [
    `kubectl get ${RESOURCES} -o 'custom-columns=NAME:.metadata.name,REASON:.status.conditions[?(@.type=="Stalled")].reason'`,
    '# VendorHelperRuns at each: what else is wrong with one stands in the message of that condition.',
  ];
  return [{ title: 'Observe. Correct first what is wrong with a resource.', lines }];
}

function stop(facts: TcrTakeOverFacts): readonly Step[] {
  const state = assistantState(facts);
  const hasWebhook = !facts.webhook.ok || facts.webhook.value !== undefined;
  const lines = [
    ...(state === 'runs' || state === 'unknown'
      ? [`${ASSISTANT} scale deployment ${TCR_ASSISTANT.name} --replicas=0`]
      : []),
    ...(hasWebhook
      ? [
          '# Its webhook would stay behind, unanswered, and may refuse every edit of a resource:',
          `kubectl delete validatingwebhookconfiguration ${TCR_WEBHOOK} --ignore-not-found`,
        ]
      : []),
  ];
  if (lines.length === 0) return [];
  const title = 'Stop the manager, and nothing else. What it wrote works on; ours takes over within seconds.';
  return [{ title, lines }];
}

function verify({ instance, resources }: TcrTakeOverFacts, { secrets }: Survey): readonly Step[] {
  const all = secrets === undefined ? 0 : secrets.adopted.length + secrets.own.length + secrets.created.length;
  const hasResources = !resources.ok || resources.value.length > 0;
  const lines = [
    ...(hasResources ? [`kubectl wait --for=condition=Ready ${RESOURCES} --all --timeout=120s`] : []),
    `kubectl get secrets --all-namespaces --selector=${managedSelector(instance)}`,
    ...(secrets === undefined
      ? []
      : [`# ${count(all, 'Secret')} ${all === 1 ? 'is' : 'are'} expected. Then let a new Pod pull an image.`]),
  ];
  return [{ title: 'See that ours took over.', lines }];
}

function renew({ resources }: TcrTakeOverFacts): readonly Step[] {
  const holders = (resources.ok ? resources.value : []).filter(({ token }) => token !== undefined);
  if (holders.length === 0) return [];
  const lines = [
    '# For each: docs/configuration.md and docs/identities-tencent.md say how a token is minted. Or put another password into it:',
    ...holders.map(({ name }) => `kubectl edit ${RESOURCES} ${name}`),
    '# When its condition Ready is True again with every Secret done, revoke the old one: see the section on tokens.',
  ];
  return [{ title: 'Replace the tokens that the vendor made, at your leisure.', lines }];
}

function remove(facts: TcrTakeOverFacts): readonly Step[] {
  if (assistantState(facts) === 'gone' && (!facts.definition.ok || facts.definition.value?.release === undefined))
    return [];
  const updaters = facts.updaters.ok ? facts.updaters.value : [];
  const lines = [
    `${ASSISTANT} delete deployment ${TCR_ASSISTANT.name} --ignore-not-found`,
    ...(updaters.length === 0
      ? []
      : [
          `# ${updaters.map((namespace) => placeOf({ namespace, name: HOSTS_UPDATER.daemonSet })).join(' and ')} stays: nodes may resolve the registry only by it. Remove it when Private DNS,`,
          '# or the automatic resolution of the instance, answers; what it wrote into /etc/hosts stays on the nodes.',
        ]),
    "# Uninstalling the add-on as such, in TKE's console or with Helm, takes the definition along, most likely, and every resource with it.",
    '# Ours deletes nothing then: Secrets and references stay, but new namespaces wait. Only where that happened bring both back.',
    `kubectl get crd ${RESOURCES} || kubectl create -f ${CRD_FILE}`,
    `kubectl wait --for=condition=Established crd/${RESOURCES} --timeout=60s`,
    `kubectl get ${RESOURCES} -o name | grep -q . || kubectl create -f resources.backup.yaml`,
  ];
  return [{ title: 'Remove the manager, when all is well for a day.', lines }];
}

function tidy(_facts: TcrTakeOverFacts, { secrets }: Survey): readonly Step[] {
  const stale = [...(secrets?.left ?? []), ...(secrets?.outside ?? [])];
  if (stale.length === 0) return [];
  const lines = [
    '# Pods and templates that name such a Secret themselves must be changed first.',
    ...stale.map(({ namespace, name }) => `kubectl -n ${namespace} delete secret ${name}`),
  ];
  return [{ title: 'Remove the Secrets that no resource wants.', lines }];
}
