// Whether a Pod gets what its namespace and ServiceAccount are given, and if not, why not.
import { desiredFor } from './desired.ts';
import { DOCKER_HUB_KEY } from './registry-host.ts';
import { hostOfImage, isForHost } from './image-host.ts';
import { includesServiceAccount } from './scope.ts';
import { keyOf, requestKey } from './source.ts';
import type {
  Config,
  DesiredSecret,
  EpochMs,
  ObservedNamespace,
  ObservedSecret,
  ObservedServiceAccount,
  Rule,
} from './types.ts';

/** A Pod as far as pulling goes. */
export interface FoundPod {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly createdAt: EpochMs;
  /** `ReplicaSet web-5d9f`; undefined = nobody made it but the person who did. */
  readonly owner: string | undefined;
  /** Names in `imagePullSecrets`, in order. */
  readonly imagePullSecrets: readonly string[];
  /** Of all its containers, each once. */
  readonly images: readonly string[];
  /** Made from a file of its node: Kubernetes gives it no pull secrets. */
  readonly isStatic: boolean;
}

/** What a Pod is judged by. */
export interface PodSurroundings {
  readonly config: Pick<Config, 'rules'>;
  readonly namespace: ObservedNamespace;
  /** undefined = there is none. */
  readonly account: ObservedServiceAccount | undefined;
  /** Our Secrets of the namespace; undefined = not known. */
  readonly secrets: ReadonlyMap<string, ObservedSecret> | undefined;
  readonly now: EpochMs;
}

/**
 * How a Pod stands to the Secrets that are meant for it:
 * - `unmatched`: none is, by the rules.
 * - `served`: it names all of them.
 * - `own`: it names others, which it did not get from its ServiceAccount. Kubernetes gives a Pod the pull secrets of its
 *   ServiceAccount, at its creation, only when it names none itself:
 *   https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#add-imagepullsecrets-to-a-service-account
 * - `static`: its node made it from a file, and no ServiceAccount has a part in it.
 * - `unsure`: it names others, but is older than the list of its ServiceAccount: it may have got them from there.
 * - `waiting`: its ServiceAccount does not refer to all of them yet.
 * - `older`: its ServiceAccount does, but did not when the Pod was created.
 */
export type PodState = 'unmatched' | 'served' | 'own' | 'static' | 'unsure' | 'waiting' | 'older';

/** An image of a Pod. */
export interface JudgedImage {
  readonly image: string;
  readonly host: string;
  /** The Secrets meant for the Pod that hold a credential for the host. */
  readonly secrets: readonly string[];
  /** The Secrets that are to hold one and do not: it could not be obtained, or not be written. */
  readonly lacking: readonly string[];
  /** True when the Pod names one of `secrets`. */
  readonly isServed: boolean;
  /** True when it is served, but what it is served with works no more. */
  readonly isExpired: boolean;
}

/** The judgement. */
export interface JudgedPod {
  readonly pod: FoundPod;
  readonly state: PodState;
  /** The rules that mean this Pod's ServiceAccount, each with its Secret. */
  readonly rules: readonly Rule[];
  /** Names of their Secrets that the Pod does not name. */
  readonly missing: readonly string[];
  /** undefined = which hosts the Secrets are for is not known. */
  readonly images: readonly JudgedImage[] | undefined;
}

/** Judges it. */
export function judgePod(pod: FoundPod, surroundings: PodSurroundings): JudgedPod {
  const { config, namespace, account, secrets, now } = surroundings;
  const wanted = desiredFor(config, namespace).secrets.filter(
    ({ rule }) => account !== undefined && includesServiceAccount(rule.scope, account),
  );
  const names = wanted.map(({ name }) => name);
  const missing = names.filter((name) => !pod.imagePullSecrets.includes(name));
  return {
    pod,
    state: stateOf(pod, { names, missing, account }),
    rules: wanted.map(({ rule }) => rule),
    missing,
    images:
      secrets === undefined ? undefined : pod.images.map((image) => judgeImage(image, { pod, wanted, secrets, now })),
  };
}

/** True when an image of it does not get the credential that is meant for it; also when that is not known and it does not name all Secrets. */
export function lacksCredential({ state, images, missing }: JudgedPod): boolean {
  if (state === 'unmatched') return false;
  return images?.some(isUnserved) ?? missing.length > 0;
}

/** True when the registry is one that is served here, and the image cannot be pulled with what the Pod has. */
export function isUnserved({ secrets, lacking, isServed, isExpired }: JudgedImage): boolean {
  return isExpired || (!isServed && secrets.length + lacking.length > 0);
}

function stateOf(
  pod: FoundPod,
  of: {
    readonly names: readonly string[];
    readonly missing: readonly string[];
    readonly account: ObservedServiceAccount | undefined;
  },
): PodState {
  const { names, missing, account } = of;
  if (account === undefined || names.length === 0) return 'unmatched';
  if (missing.length === 0) return 'served';
  if (pod.isStatic) return 'static';
  // Where the webhook wrote the reference, the ServiceAccount had it from the beginning.
  const isRecorded = missing.every((name) => account.recorded.includes(name));
  const since = account.updatedAt ?? (isRecorded ? account.createdAt : undefined);
  // Times have whole seconds: in doubt the Pod was first. A later write of ours makes more Pods look older than they are.
  const isLater = since !== undefined && pod.createdAt > since;
  const areCopied = pod.imagePullSecrets.every((name) => account.imagePullSecrets.includes(name));
  if (!areCopied) return isLater ? 'own' : 'unsure';
  if (!missing.every((name) => account.imagePullSecrets.includes(name))) return 'waiting';
  return isLater && pod.imagePullSecrets.length > 0 ? 'own' : 'older';
}

function judgeImage(
  image: string,
  by: Pick<PodSurroundings, 'now'> & {
    readonly pod: FoundPod;
    readonly wanted: readonly DesiredSecret[];
    readonly secrets: ReadonlyMap<string, ObservedSecret>;
  },
): JudgedImage {
  const host = hostOfImage(image);
  const ends = new Map(by.wanted.map(({ name }) => [name, endOf(by.secrets.get(name), host)]));
  const namesWhere = (isSo: (secret: DesiredSecret) => boolean): readonly string[] =>
    by.wanted.filter(isSo).map(({ name }) => name);
  const secrets = namesWhere(({ name }) => ends.get(name) !== undefined);
  const lacking = namesWhere((secret) => ends.get(secret.name) === undefined && isToHold(secret, host, by.secrets));
  const named = secrets.filter((name) => by.pod.imagePullSecrets.includes(name));
  const isServed = named.length > 0;
  const isExpired = isServed && named.every((name) => (ends.get(name) ?? 0) <= by.now);
  return { image, host, secrets, lacking, isServed, isExpired };
}

/** When the last credential for the host ends; undefined = there is none. */
function endOf(secret: ObservedSecret | undefined, host: string): EpochMs | undefined {
  const found = Object.entries(secret?.entries ?? {}).filter(([pattern]) => isForHost(pattern, host));
  const ends = found.map(([, { expiresAt }]) => expiresAt ?? Number.POSITIVE_INFINITY);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/** True when a request of the rule is for the host; where only its cloud knows the hosts, and nothing was obtained yet, it may be. */
function isToHold({ name, rule }: DesiredSecret, host: string, secrets: ReadonlyMap<string, ObservedSecret>): boolean {
  const made = new Set(Object.values(secrets.get(name)?.entries ?? {}).map(({ source }) => keyOf(source)));
  return rule.requests.some((request) =>
    request.hosts === undefined
      ? // Whoever serves Docker Hub names it.
        host !== DOCKER_HUB_KEY && !made.has(requestKey(request))
      : request.hosts.some((pattern) => isForHost(pattern, host)),
  );
}
