// Why a Pod can, or cannot, pull with what is written here: the chain of decisions as sentences, and what to do.
import {
  isUnserved,
  lacksCredential,
  type FoundPod,
  type JudgedImage,
  type JudgedPod,
  type PodState,
  type PodSurroundings,
} from './judge-pod.ts';
import { desiredFor } from './desired.ts';
import { includesServiceAccount, isIgnored } from './scope.ts';
import { count, plain } from './take-over-words.ts';
import type { Issue, ObservedSecret, Rule } from './types.ts';

/** What is said about a Pod. */
export interface Explanation {
  /** One sentence each, in the order of the decisions. */
  readonly sentences: readonly string[];
  /** The end: that it works, or what to do. */
  readonly verdict: string;
  /** False = something is to be done. */
  readonly isWell: boolean;
}

/** An `ImagePullSecret` that is not in force as it stands. */
export interface RefusedResource {
  readonly name: string;
  /** What it would mean; undefined = that cannot be told. */
  readonly rule: Rule | undefined;
  readonly issue: Issue;
}

/** What an explanation is made from, besides the judgement. */
export interface ExplainedSurroundings extends PodSurroundings {
  readonly refused?: readonly RefusedResource[];
  /** True = `ImagePullSecret` resources are left to Tencent's add-on, which runs. */
  readonly isLeftToAssistant?: boolean;
}

/** Refused resources that are written out before "and n more". */
const MAX_REFUSED = 5;

/** Explains a judgement that was made from `surroundings`. */
export function explainPod(judged: JudgedPod, surroundings: ExplainedSurroundings): Explanation {
  const { pod } = judged;
  const refused = surroundings.refused?.filter((resource) => mayMean(resource, surroundings)) ?? [];
  return {
    sentences: [
      `Pod ${pod.namespace}/${pod.name} runs as the ServiceAccount ${pod.serviceAccount}.`,
      ...(judged.rules.length === 0
        ? [whyUnmatched(surroundings)]
        : judged.rules.map((rule) => ruleSentence(rule, surroundings))),
      ...(surroundings.isLeftToAssistant === true
        ? ["Tencent's add-on runs: ImagePullSecret resources are left to it until it is stopped."]
        : []),
      ...refused.slice(0, MAX_REFUSED).map(refusalSentence),
      ...(refused.length > MAX_REFUSED ? [`… and ${refused.length - MAX_REFUSED} more that are refused.`] : []),
      ...podSentences(judged),
      ...(judged.images ?? []).map((image) => imageSentence(image)),
    ],
    ...verdictOf(judged, refused),
  };
}

/** A refused resource whose scope is not known may mean every Pod. */
function mayMean({ rule }: RefusedResource, { namespace, account }: PodSurroundings): boolean {
  if (account === undefined || rule === undefined) return account !== undefined;
  return desiredFor({ rules: [rule] }, namespace).secrets.length > 0 && includesServiceAccount(rule.scope, account);
}

function refusalSentence({ name, rule, issue }: RefusedResource): string {
  const words = `ImagePullSecret ${plain(name)} is refused as it stands (${issue.path}: ${plain(issue.message)})`;
  return rule === undefined ? `${words}: whether it means this Pod cannot be told.` : `${words}, and means this Pod.`;
}

/** What makes new Pods of its kind get the Secrets. */
export function cureOf({ pod, state, missing, images }: JudgedPod): string {
  const events = `the Events of the namespace ${pod.namespace}, and the log of the controller, say it`;
  const unserved = images?.filter(isUnserved) ?? [];
  const lacking = new Set(unserved.flatMap((image) => image.lacking));
  const isNamed = (names: readonly string[]): boolean => names.some((name) => pod.imagePullSecrets.includes(name));
  // Where the Pod names what it is to pull with, or nothing can be named yet, the Pod is not to blame.
  const isReached = images !== undefined && unserved.every((image) => isNamed([...image.secrets, ...image.lacking]));
  const isEarly = state === 'waiting' && lacking.size > 0;
  return [
    ...(lacking.size === 0 ? [] : [`see why a credential is missing in ${[...lacking].join(', ')}: ${events}`]),
    ...(unserved.some(({ isExpired }) => isExpired) ? [`see why the credential is not renewed: ${events}`] : []),
    ...(isReached || isEarly ? [] : [cureOfState({ pod, state, names: missing.join(', '), events })]),
  ].join('; and ');
}

function cureOfState(of: {
  readonly pod: FoundPod;
  readonly state: PodState;
  readonly names: string;
  readonly events: string;
}): string {
  const { pod, state, names, events } = of;
  const where = pod.owner === undefined ? 'the Pod' : `the Pod template behind ${plain(pod.owner)}`;
  switch (state) {
    case 'own':
      return `take imagePullSecrets out of ${where}, or add ${names} there; then its new Pods can pull`;
    case 'unsure':
      return `where ${where} names imagePullSecrets, take them out or add ${names} there; where it does not, delete the Pod: its successor gets ${names}`;
    case 'static':
      return 'a static Pod gets no pull secrets: let its node have a credential of its own for the registry';
    case 'older':
      return `delete the Pod, or restart what made it: its successor gets ${names}`;
    case 'waiting':
      return `see why the ServiceAccount ${pod.namespace}/${pod.serviceAccount} does not refer to ${names}: ${events}`;
    case 'served':
    case 'unmatched':
      return 'nothing is to be done';
  }
}

function whyUnmatched({ config, namespace, account }: PodSurroundings): string {
  if (account === undefined) return 'Its ServiceAccount is not there, so that no rule can mean it.';
  if (isIgnored(namespace)) return `The namespace ${namespace.name} carries the label that keeps us out.`;
  if (isIgnored(account)) return 'The ServiceAccount carries the label that keeps us out.';
  return config.rules.length === 0
    ? 'No registry is configured.'
    : `None of ${count(config.rules.length, 'rule')} means this namespace and this ServiceAccount.`;
}

function ruleSentence({ origin, secretName }: Rule, { account, secrets }: PodSurroundings): string {
  const reference =
    account?.imagePullSecrets.includes(secretName) === true
      ? 'the ServiceAccount refers to it'
      : 'the ServiceAccount does not refer to it yet';
  return `${plain(origin)} means it, with the Secret ${secretName}: ${secretWords(secretName, secrets)}; ${reference}.`;
}

function secretWords(name: string, secrets: ReadonlyMap<string, ObservedSecret> | undefined): string {
  if (secrets === undefined) return 'whether it is there may not be read';
  const secret = secrets.get(name);
  if (secret === undefined) return 'it is not there, or not ours';
  const entries = Object.entries(secret.entries ?? {});
  const hosts = entries.map(([host, { expiresAt }]) =>
    expiresAt === undefined ? host : `${host} until ${new Date(expiresAt).toISOString()}`,
  );
  return `it is there, for ${hosts.length === 0 ? 'no registry that is known' : hosts.map(plain).join(', ')}`;
}

function podSentences({ pod, state, missing }: JudgedPod): readonly string[] {
  const named = pod.imagePullSecrets.map(plain).join(', ');
  switch (state) {
    case 'unmatched':
      return [];
    case 'served':
      return [`The Pod names ${named}.`];
    case 'own':
      return [
        `The Pod names pull secrets of its own: ${named}. Kubernetes gives a Pod those of its ServiceAccount only when it names none.`,
      ];
    case 'unsure':
      return [
        `The Pod names other pull secrets: ${named}. It is older than the list of its ServiceAccount as it is now: they may be its own, or may have been in that list.`,
      ];
    case 'static':
      return ['The Pod is made from a file of its node: Kubernetes gives it no pull secrets of a ServiceAccount.'];
    case 'waiting':
      return [`The Pod does not name ${missing.join(', ')}, since its ServiceAccount does not refer to it.`];
    case 'older':
      return [
        `The Pod does not name ${missing.join(', ')}: it was created before its ServiceAccount referred to it, and a Pod gets pull secrets only then.`,
      ];
  }
}

function imageSentence({ image, host, secrets, lacking, isServed, isExpired }: JudgedImage): string {
  const of = `Image ${plain(image)}: `;
  if (secrets.length === 0 && lacking.length > 0)
    return `${of}${lacking.join(' and ')} should hold a credential for ${plain(host)}, or may be meant to, and does not.`;
  if (secrets.length === 0) return `${of}no Secret that is meant for the Pod has a credential for ${plain(host)}.`;
  const names = isServed ? `names it${isExpired ? ', but it has expired' : ''}` : 'does not name it';
  return `${of}${secrets.join(' and ')} has a credential for ${plain(host)}, and the Pod ${names}.`;
}

function verdictOf(judged: JudgedPod, refused: readonly RefusedResource[]): Pick<Explanation, 'verdict' | 'isWell'> {
  if (lacksCredential(judged)) return { verdict: `What to do: ${cureOf(judged)}.`, isWell: false };
  const areServed = judged.images?.every((image) => image.isServed) ?? judged.state === 'served';
  if (refused.length > 0 && !areServed) {
    const verdict = 'What to do: mend the refused resource first, if it is meant for an image of this Pod.';
    return { verdict, isWell: false };
  }
  const isServed = judged.images?.some((image) => image.isServed) ?? judged.state === 'served';
  const verdict = isServed
    ? 'It works: the Pod has the credential for every image whose registry is served here.'
    : 'Nothing to do here: no image of the Pod comes from a registry that is served for it.';
  return { verdict, isWell: true };
}
