// Whether a Pod gets what its namespace and ServiceAccount are given, and if not, why not.
import { desiredFor } from './desired.ts';
import { hostOfImage } from './image-host.ts';
import { coversHost } from './registry-host.ts';
import { includesServiceAccount } from './scope.ts';
import type { Config, EpochMs, ObservedNamespace, ObservedSecret, ObservedServiceAccount, Rule } from './types.ts';

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
 * - `waiting`: its ServiceAccount does not refer to all of them yet.
 * - `older`: its ServiceAccount does, but did not when the Pod was created.
 */
export type PodState = 'unmatched' | 'served' | 'own' | 'waiting' | 'older';

/** An image of a Pod. */
export interface JudgedImage {
  readonly image: string;
  readonly host: string;
  /** The Secrets meant for the Pod that have a credential for the host. */
  readonly secrets: readonly string[];
  /** True when the Pod names one of them. */
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
  /** Names of their Secrets that are not there, or not ours; empty when that is not known. */
  readonly absent: readonly string[];
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
    absent: secrets === undefined ? [] : names.filter((name) => !secrets.has(name)),
    images:
      secrets === undefined ? undefined : pod.images.map((image) => judgeImage(image, { pod, names, secrets, now })),
  };
}

/**
 * True when it does not get what is meant for it: a Secret is not there, or an image comes from a registry of one that it does not name
 * or that has expired. Also when that is not known and it does not name all of them.
 */
export function lacksCredential({ state, images, missing, absent }: JudgedPod): boolean {
  if (state === 'unmatched') return false;
  if (absent.length > 0) return true;
  return (
    images?.some(({ secrets, isServed, isExpired }) => isExpired || (secrets.length > 0 && !isServed)) ??
    missing.length > 0
  );
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
  const areCopied = pod.imagePullSecrets.every((name) => account.imagePullSecrets.includes(name));
  if (!areCopied) return 'own';
  if (!missing.every((name) => account.imagePullSecrets.includes(name))) return 'waiting';
  // Times have whole seconds: in doubt the Pod was first. A later write of ours makes more Pods look older than they are.
  const isLater = account.updatedAt !== undefined && pod.createdAt > account.updatedAt;
  return isLater && pod.imagePullSecrets.length > 0 ? 'own' : 'older';
}

function judgeImage(
  image: string,
  by: Pick<PodSurroundings, 'now'> & {
    readonly pod: FoundPod;
    readonly names: readonly string[];
    readonly secrets: ReadonlyMap<string, ObservedSecret>;
  },
): JudgedImage {
  const host = hostOfImage(image);
  const endOf = (name: string): EpochMs | undefined => {
    const entries = Object.entries(by.secrets.get(name)?.entries ?? {});
    const found = entries.find(([pattern]) => coversHost(pattern, host));
    return found === undefined ? undefined : (found[1].expiresAt ?? Number.POSITIVE_INFINITY);
  };
  const secrets = by.names.filter((name) => endOf(name) !== undefined);
  const named = secrets.filter((name) => by.pod.imagePullSecrets.includes(name));
  const isServed = named.length > 0;
  return { image, host, secrets, isServed, isExpired: isServed && named.every((name) => (endOf(name) ?? 0) <= by.now) };
}
