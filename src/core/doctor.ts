// What `doctor` finds in a cluster: one verdict for each thing that can be in the way of pulling, with its cure.
import { cureOf } from './explain-pod.ts';
import { lacksCredential, type FoundPod, type JudgedPod } from './judge-pod.ts';
import { sceneOf, type Scene } from './scene.ts';
import { isWanted, type Looked, type UnderstoodConfiguration, type VendorDeployment } from './take-over-facts.ts';
import { count, listed, plain } from './take-over-words.ts';
import type { Config, EpochMs, Issue, ObservedNamespace, ObservedSecret, ObservedServiceAccount } from './types.ts';

/** One verdict. */
export interface Finding {
  /** `SKIP` = there was nothing to look at. */
  readonly level: 'PASS' | 'WARN' | 'FAIL' | 'SKIP';
  /** What was looked at. */
  readonly subject: string;
  /** Sentences; the first is the verdict. */
  readonly sentences: readonly string[];
  /** What to do; undefined = nothing. */
  readonly cure?: string;
  /** Page that says more, below `docs/`. */
  readonly page?: string;
}

/** What is known of a resource. */
export interface ReadResource {
  readonly name: string;
  readonly issues: readonly Issue[];
}

/** What is known of a cluster. */
export interface DoctorFacts {
  /** `kube-system/acr-configuration`. */
  readonly place: string;
  readonly configuration: Looked<UnderstoodConfiguration | undefined>;
  readonly resources: Looked<readonly ReadResource[]>;
  /** undefined = it cannot be told. */
  readonly config: Config | undefined;
  /** Who holds a Lease of an installation of that name: `default-abc in kube-system`. */
  readonly holders: Looked<readonly string[]>;
  readonly acrHelper: Looked<VendorDeployment | undefined>;
  readonly tcrAssistant: Looked<VendorDeployment | undefined>;
  readonly pods: Looked<readonly FoundPod[]>;
  readonly namespaces: Looked<readonly ObservedNamespace[]>;
  readonly accounts: Looked<readonly ObservedServiceAccount[]>;
  readonly secrets: Looked<readonly ObservedSecret[]>;
  /** The only namespaces that the installation serves; undefined = all. */
  readonly served: readonly string[] | undefined;
  readonly now: EpochMs;
}

/** Remarks and Pods that are written out before "and n more". */
const MAX_SHOWN = 20;

/** Judges everything, in the order in which one thing depends on another. */
export function diagnose(facts: DoctorFacts): readonly Finding[] {
  return [
    configurationFinding(facts),
    resourcesFinding(facts),
    controllerFinding(facts),
    vendorFinding("Alibaba's add-on", facts.acrHelper, 'from-acr-helper'),
    vendorFinding("Tencent's add-on", facts.tcrAssistant, 'from-tcr-assistant'),
    ...inScopeFindings(facts),
  ];
}

/** About the ConfigMap. */
export function configurationFinding({
  configuration,
  resources,
  place,
}: Pick<DoctorFacts, 'configuration' | 'resources' | 'place'>): Finding {
  const about = { subject: 'configuration', page: 'configuration.md' };
  if (!configuration.ok) return unread(about, configuration.cure);
  if (configuration.value === undefined) {
    const hasResources = resources.ok && resources.value.length > 0;
    const sentences = [`There is no ConfigMap ${place}${hasResources ? ': resources alone say what is served' : ''}.`];
    return hasResources
      ? { ...about, level: 'PASS', sentences }
      : { ...about, level: 'FAIL', sentences, cure: 'make it, or say with --config-map where it is' };
  }
  const { config, remarks } = configuration.value;
  if (remarks.length === 0) return { ...about, level: 'PASS', sentences: [`ConfigMap ${place} is understood.`] };
  return {
    ...about,
    level: config === undefined ? 'FAIL' : 'WARN',
    sentences: [
      `ConfigMap ${place} ${config === undefined ? 'is refused: the last good one stays in force' : 'is understood, with remarks'}.`,
      ...first(remarks.map(({ sentence }) => sentence)),
    ],
    cure: `kubectl -n ${place.replace('/', ' edit configmap ')}`,
  };
}

function resourcesFinding({ resources }: DoctorFacts): Finding {
  const about = { subject: 'resources', page: 'image-pull-secrets.md' };
  if (!resources.ok) return unread(about, resources.cure);
  const wrong = resources.value.filter(({ issues }) => issues.length > 0);
  const total = count(resources.value.length, 'ImagePullSecret resource');
  if (wrong.length === 0) return { ...about, level: 'PASS', sentences: [`${total}, nothing wrong.`] };
  const isError = wrong.some(({ issues }) => issues.some(({ severity }) => severity === 'error'));
  const sentences = wrong.flatMap(({ name, issues }) =>
    issues.map(({ path, message }) => `${name}: ${path}: ${message}.`),
  );
  return {
    ...about,
    level: isError ? 'FAIL' : 'WARN',
    sentences: [`${total}, ${wrong.length} with something wrong.`, ...first(sentences)],
    cure: `kubectl edit imagepullsecrets.tcr.tencentcloudcr.com NAME`,
  };
}

function controllerFinding({ holders }: DoctorFacts): Finding {
  const about = { subject: 'controller', page: 'configuration.md' };
  if (!holders.ok) return unread(about, holders.cure);
  return holders.value.length === 0
    ? {
        ...about,
        level: 'FAIL',
        sentences: ['No replica of the controller leads: nothing is written or renewed.'],
        cure: 'see whether its Deployment has Pods, and what they log; --instance says which installation is meant',
      }
    : { ...about, level: 'PASS', sentences: [`${listed(holders.value.map(plain))} leads.`] };
}

function vendorFinding(subject: string, looked: Looked<VendorDeployment | undefined>, move: string): Finding {
  const about = { subject, page: `${move}.md` };
  if (!looked.ok) return unread(about, looked.cure);
  return isWanted(looked)
    ? {
        ...about,
        level: 'WARN',
        sentences: ['It runs: what it would undo is left to it.'],
        cure: `see the plan of the move: registry-credential-helper migrate ${move}`,
      }
    : { ...about, level: 'PASS', sentences: ['It does not run.'] };
}

/** What is in the namespaces in scope: first what is written there, then the Pods. */
function inScopeFindings(facts: DoctorFacts): readonly Finding[] {
  const { config, pods, namespaces, accounts, secrets, served } = facts;
  const subjects = { secrets: SECRETS, pods: OWN_PODS };
  const unreadAll = (cure: string): readonly Finding[] => [
    unread(subjects.secrets, secrets.ok ? cure : secrets.cure),
    unread(subjects.pods, pods.ok ? cure : pods.cure),
  ];
  for (const looked of [namespaces, accounts]) if (!looked.ok) return unreadAll(looked.cure);
  if (config === undefined) return unreadAll('mend the configuration first');
  if (!namespaces.ok || !accounts.ok) return [];
  const inReach = namespaces.value.filter(({ name }) => served?.includes(name) !== false);
  if (inReach.length === 0) {
    const sentences = ['There is no such namespace, or it is not served.'];
    return [{ ...subjects.secrets, level: 'WARN', sentences, cure: 'see --namespace and --namespaces' }];
  }
  const scene = sceneOf({ config, namespaces: inReach, accounts: accounts.value, secrets, now: facts.now });
  return [
    secrets.ok ? secretsFinding(scene) : unread(subjects.secrets, secrets.cure),
    pods.ok ? podsFinding(pods.value.flatMap((pod) => scene.judge(pod) ?? [])) : unread(subjects.pods, pods.cure),
  ];
}

const SECRETS = { subject: 'Secrets and references', page: 'reasons.md' };
const OWN_PODS = { subject: 'Pods with pull secrets of their own', page: 'pods.md' };

/** What the rules want, and is not so. */
function secretsFinding({ wanted, faults }: Scene): Finding {
  if (faults.length === 0) {
    const all =
      wanted === 0 ? 'No namespace is to have one.' : `${count(wanted, 'Secret')}, all there, valid and referred to.`;
    return { ...SECRETS, level: 'PASS', sentences: [all] };
  }
  return {
    ...SECRETS,
    level: 'FAIL',
    sentences: [`${count(wanted, 'Secret')}, ${faults.length} things are not as they should be.`, ...first(faults)],
    cure: 'see the Events of the namespace, and the log of the controller: each failure has a reason there',
  };
}

/** Pods that will not get what is meant for them, whatever the controller does: they name pull secrets of their own. */
function podsFinding(judged: readonly JudgedPod[]): Finding {
  const own = judged.filter(({ state }) => state === 'own' || state === 'unsure');
  const [lacking, others] = [own.filter(lacksCredential), own.filter((pod) => !lacksCredential(pod))];
  if (own.length === 0) return { ...OWN_PODS, level: 'PASS', sentences: ['There are none in scope.'] };
  const harmless = `${count(others.length, 'Pod')} in scope ${others.length === 1 ? 'names' : 'name'} other pull secrets than ours, for images of other registries: ${listed(others.map(placeOf))}.`;
  if (lacking.length === 0) return { ...OWN_PODS, level: 'PASS', sentences: [harmless] };
  const isOne = lacking.length === 1;
  return {
    ...OWN_PODS,
    level: 'WARN',
    sentences: [
      `${count(lacking.length, 'Pod')} in scope ${isOne ? 'names' : 'name'} other pull secrets than ours, and so ${isOne ? 'does' : 'do'} not get ours.`,
      ...first(lacking.map((pod) => `${placeOf(pod)}: ${cureOf(pod)}.`)),
      ...(others.length === 0 ? [] : [harmless]),
    ],
    cure: 'registry-credential-helper explain pod NAME -n NAMESPACE',
  };
}

function placeOf({ pod }: JudgedPod): string {
  return `${pod.namespace}/${pod.name}`;
}

function first(sentences: readonly string[]): readonly string[] {
  const more = sentences.length - MAX_SHOWN;
  return [...sentences.slice(0, MAX_SHOWN), ...(more > 0 ? [`… and ${more} more.`] : [])];
}

/** What could not be looked at is no PASS. */
function unread(about: Pick<Finding, 'subject' | 'page'>, cure: string): Finding {
  return { ...about, level: 'WARN', sentences: ['It could not be looked at.'], cure };
}
