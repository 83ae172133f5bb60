// The admission webhook as a whole: every replica serves it, the leader keeps its certificate authority and its object.
import type { X509Certificate } from 'node:crypto';
import { KubeError } from '../core/errors.ts';
import { authoritySecretName, webhookName } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { Config, EpochMs, ObservedNamespace } from '../core/types.ts';
import type { KubeClient, KubeObject } from '../kube/client.ts';
import {
  createObjectCalls,
  dataOf,
  followObject,
  isOwnAuthority,
  isOwnWebhook,
  secretPlace,
  webhookPlace,
  type ObjectPlace,
} from '../kube/one-object.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import { parseAuthority, type Authority } from './authority.ts';
import { readBundle } from './certificates.ts';
import { createReviewHandler, type HandlerWorld } from './handlers.ts';
import { createKeeper, type KeptObject } from './keeper.ts';
import { caBundleOf, type Owner, type Target } from './object.ts';
import type { WebhookObserver } from './observer.ts';
import { createServing } from './serving.ts';
import { Settling } from './settling.ts';

export interface WebhookOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** Our own. */
  readonly namespace: string;
  /** `:10250`. */
  readonly address: string;
  /** How the API server gets here. */
  readonly target: Target;
  /** Name of the ClusterRole that owns the object. */
  readonly clusterRole: string;
  /** undefined = no good configuration is known. */
  readonly config: () => Config | undefined;
  /** An add-on that this one replaces runs: requests pass as they are. */
  readonly standingDown: () => boolean;
  /** undefined = not seen yet. */
  readonly observedNamespace: (name: string) => ObservedNamespace | undefined;
  /** Told of each private key that this process holds. */
  readonly register: (key: string, value: string) => void;
  readonly onAnswered: HandlerWorld['onAnswered'];
  readonly onProblem: HandlerWorld['onProblem'];
  readonly onReflector: (kind: string, event: ReflectorEvent) => void;
  readonly observer: WebhookObserver;
  readonly now: () => EpochMs;
  readonly random: () => number;
  /** Milliseconds on a clock that is never set. */
  readonly elapsed: () => number;
}

/** The running whole. */
export interface Webhook {
  /** There is a new configuration. */
  configured(): void;
  /** Serves until aborted, and a moment longer; never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Keeps authority and object until aborted; never throws. */
  lead(signal: AbortSignal): Promise<void>;
  /** Why the API server cannot use this replica; undefined = it can, or nobody calls: the webhook is off, or not there yet. */
  problem(): string | undefined;
  /** Certificates in use, by what they are. */
  certificates(): readonly { readonly certificate: 'authority' | 'leaf'; readonly expiresAt: EpochMs }[];
}

/** Builds it; nothing is read, written or opened before `run` and `lead`. */
export function createWebhook(options: WebhookOptions): Webhook {
  const { client, instance, namespace, target, observer, now, random } = options;
  const settling = new Settling(options.elapsed);
  /** Whether there is an object cannot be known, for lack of a right or of the kind: then nobody here made one. */
  let isOutOfReach = false;
  /** Every replica notes what it sees, as any may lead next. */
  const note = (): void => settling.saw(isWanted(), authority()?.certificate);
  const changed = (): void => {
    note();
    serving.changed();
    keeper.changed();
  };
  const follow = (kind: string, place: ObjectPlace, placeNamespace: string, onFailed?: (error: KubeError) => void) => ({
    namespace: placeNamespace,
    name: place.name,
    live: followObject({
      client,
      place,
      onChange: changed,
      report: (event) => {
        if (event.type === 'failed') onFailed?.(event.error);
        options.onReflector(kind, event);
      },
      now,
      random,
    }),
    calls: createObjectCalls(client, place),
  });
  const object = {
    ...follow('mutatingwebhookconfigurations', webhookPlace(webhookName(instance)), '', ({ reason }) => {
      isOutOfReach ||= reason === 'Forbidden' || reason === 'NotFound';
    }),
    isOwn: (live: KubeObject) => isOwnWebhook(live, instance),
  };
  const secretName = authoritySecretName(instance);
  const secret = {
    ...follow(`secret ${namespace}/${secretName}`, secretPlace(namespace, secretName), namespace),
    isOwn: (live: KubeObject) => isOwnAuthority(live, instance),
  };

  const authority = remembered(
    () => ownOf(secret),
    (live): Authority | undefined => {
      const parsed = live === undefined ? undefined : parseAuthority(dataOf(live));
      if (parsed !== undefined) options.register('webhook authority', parsed.key);
      return parsed;
    },
  );
  const bundle = remembered(
    () => ownOf(object),
    (live): readonly X509Certificate[] => readBundle(caBundleOf(live)),
  );
  const isWanted = (): boolean => options.config()?.webhook !== undefined;
  /** The API server calls whom the object names, also while this process knows no good configuration, or it is switched off. */
  const isCalled = (): boolean => ownOf(object) !== undefined;
  const serving = createServing({
    address: options.address,
    names: [target.kind === 'url' ? hostOf(target.url) : `${target.name}.${target.namespace}.svc`],
    isWanted: () => isWanted() || isCalled(),
    authority,
    bundle,
    handle: createReviewHandler({
      ...options,
      config: () => (options.standingDown() ? undefined : options.config()),
      namespace: options.observedNamespace,
    }),
    onRefused: () => options.onAnswered({ outcome: 'BadReview', ms: 0 }),
    onServed: () => keeper.changed(),
    register: (key) => options.register('webhook leaf', key),
    observer,
    now,
  });
  const keeper = createKeeper({
    ...options,
    object,
    secret,
    authority,
    bundle,
    readOwner: (signal) => readClusterRole(client, options.clusterRole, signal),
    untilServedMs: (by) => (serving.serves(by) ? settling.leftMs() : Number.POSITIVE_INFINITY),
    onWritten() {
      note();
      serving.changed();
    },
  });

  return {
    configured() {
      note();
      serving.changed();
      keeper.configured();
    },
    run: async (signal) => {
      await Promise.all([object.live.run(signal), secret.live.run(signal), serving.run(signal)]);
    },
    lead: (signal) => keeper.run(signal),
    problem: () => {
      if (isCalled()) return serving.problem();
      if (!object.live.synced && !isOutOfReach) return 'whether there is a webhook object is not known yet';
      // Nobody calls a webhook that is not there: the leader may be of a version that makes none, and a rollout must get past it.
      // What fails here would fail with the object, too, and the leader makes none while it cannot serve.
      return isWanted() ? serving.failure() : undefined;
    },
    certificates: () => {
      const leafExpiresAt = serving.leafExpiresAt();
      const held = authority();
      return [
        ...(held === undefined
          ? []
          : [{ certificate: 'authority', expiresAt: held.certificate.validToDate.getTime() } as const]),
        ...(leafExpiresAt === undefined ? [] : [{ certificate: 'leaf', expiresAt: leafExpiresAt } as const]),
      ];
    },
  };
}

/** The live object, unless it is somebody else's. */
function ownOf({ live, namespace, name, isOwn }: KeptObject): KubeObject | undefined {
  const found = live.get(namespace, name);
  return found !== undefined && isOwn(found) ? found : undefined;
}

/** Derives something from what is read, again only when that is another one. */
function remembered<S, T>(read: () => S, derive: (source: S) => T): () => T {
  let last: { readonly source: S; readonly derived: T } | undefined;
  return () => {
    const source = read();
    if (last === undefined || last.source !== source) last = { source, derived: derive(source) };
    return last.derived;
  };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

/** The ClusterRole; undefined = there is none, or it may not be read: then nothing owns the object. */
async function readClusterRole(client: KubeClient, name: string, signal: AbortSignal): Promise<Owner | undefined> {
  const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${encodeURIComponent(name)}`;
  try {
    const { metadata } = await client.call({ method: 'GET', path, signal });
    return isRecord(metadata) && typeof metadata.uid === 'string' ? { name, uid: metadata.uid } : undefined;
  } catch (error) {
    if (error instanceof KubeError && ['NotFound', 'Forbidden'].includes(error.reason)) return undefined;
    throw error;
  }
}
