// Why a Pod can, or cannot, pull with what is written here: the chain of decisions as sentences, and what to do.
import { lacksCredential, type JudgedImage, type JudgedPod, type PodSurroundings } from './judge-pod.ts';
import { isIgnored } from './scope.ts';
import { count, plain } from './take-over-words.ts';
import type { ObservedSecret, Rule } from './types.ts';

/** What is said about a Pod. */
export interface Explanation {
  /** One sentence each, in the order of the decisions. */
  readonly sentences: readonly string[];
  /** The end: that it works, or what to do. */
  readonly verdict: string;
  /** False = something is to be done. */
  readonly isWell: boolean;
}

/** Explains a judgement that was made from `surroundings`. */
export function explainPod(judged: JudgedPod, surroundings: PodSurroundings): Explanation {
  const { pod } = judged;
  return {
    sentences: [
      `Pod ${pod.namespace}/${pod.name} runs as the ServiceAccount ${pod.serviceAccount}${surroundings.account === undefined ? ', which is gone' : ''}.`,
      ...(judged.rules.length === 0
        ? [whyUnmatched(surroundings)]
        : judged.rules.map((rule) => ruleSentence(rule, surroundings))),
      ...podSentences(judged),
      ...(judged.images ?? []).map((image) => imageSentence(image)),
    ],
    ...verdictOf(judged),
  };
}

/** What makes new Pods of its kind get the Secrets. */
export function cureOf({ pod, state, missing, absent, images = [] }: JudgedPod): string {
  const where = pod.owner === undefined ? 'the Pod' : `the Pod template behind ${plain(pod.owner)}`;
  const names = missing.join(', ');
  const events = `the Events of the namespace ${pod.namespace}, and the log of the controller, say it`;
  if (absent.length > 0) return `see why ${absent.join(', ')} is not written: ${events}`;
  if (images.some(({ isExpired }) => isExpired)) return `see why the credential is not renewed: ${events}`;
  switch (state) {
    case 'own':
      return `take imagePullSecrets out of ${where}, or add ${names} there; then its new Pods can pull`;
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
  if (isIgnored(namespace)) return `The namespace ${namespace.name} carries the label that keeps us out.`;
  if (account !== undefined && isIgnored(account)) return 'The ServiceAccount carries the label that keeps us out.';
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
    case 'waiting':
      return [`The Pod does not name ${missing.join(', ')}, since its ServiceAccount does not refer to it.`];
    case 'older':
      return [
        `The Pod does not name ${missing.join(', ')}: it was created before its ServiceAccount referred to it, and a Pod gets pull secrets only then.`,
      ];
  }
}

function imageSentence({ image, host, secrets, isServed, isExpired }: JudgedImage): string {
  const of = `Image ${plain(image)}: `;
  if (secrets.length === 0) return `${of}no Secret that is meant for the Pod has a credential for ${plain(host)}.`;
  const names = isServed ? `names it${isExpired ? ', but it has expired' : ''}` : 'does not name it';
  return `${of}${secrets.join(' and ')} has a credential for ${plain(host)}, and the Pod ${names}.`;
}

function verdictOf(judged: JudgedPod): Pick<Explanation, 'verdict' | 'isWell'> {
  if (lacksCredential(judged)) return { verdict: `What to do: ${cureOf(judged)}.`, isWell: false };
  const isServed = judged.images?.some((image) => image.isServed) ?? judged.state === 'served';
  const verdict = isServed
    ? 'It works: the Pod has the credential for every image whose registry is served here.'
    : 'Nothing to do here: no image of the Pod comes from a registry that is served for it.';
  return { verdict, isWell: true };
}
