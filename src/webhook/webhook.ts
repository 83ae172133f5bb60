// The admission webhook as a whole: every replica serves it, the leader keeps its certificate authority and its two objects.
import type { X509Certificate } from 'node:crypto';
import type { KubeError } from '../core/errors.ts';
import { authoritySecretName, webhookName, type WebhookKind } from '../core/names.ts';
import type { ItemParser } from '../core/registry-items.ts';
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
import { createResourceHandler, createReviewHandler, type HandlerWorld } from './handlers.ts';
import { createKeeper, type KeptObject } from './keeper.ts';
import { buildMutating, buildValidating, caBundleOf, RESOURCE_REVIEW_PATH, REVIEW_PATH } from './object.ts';
import type { ObjectOptions, Target } from './object.ts';
import type { WebhookObserver } from './observer.ts';
import { readClusterRole } from './owner.ts';
import { remembered } from './remembered.ts';
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
  /** Name of the ClusterRole that owns the objects. */
  readonly clusterRole: string;
  /** undefined = no good configuration is known. */
  readonly config: () => Config | undefined;
  /** With which the controller reads resources. */
  readonly parseItem: ItemParser;
  /** An add-on that this one replaces runs: requests pass as they are. */
  readonly standingDown: () => boolean;
  /** undefined = not seen yet. */
  readonly observedNamespace: (name: string) => ObservedNamespace | undefined;
  /** The only namespaces that are served; absent = all. */
  readonly served?: ReadonlySet<string> | undefined;
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
  /** Keeps authority and objects until aborted; never throws. */
  lead(signal: AbortSignal): Promise<void>;
  /** Why the API server cannot use this replica; undefined = it can, or nobody calls: there is no webhook object yet. */
  problem(): string | undefined;
  /** Certificates in use, by what they are. */
  certificates(): readonly { readonly certificate: 'authority' | 'leaf'; readonly expiresAt: EpochMs }[];
  /** How many of its objects are wanted and cannot be there, since somebody else's have their names. */
  taken(): number;
}

/** Builds it; nothing is read, written or opened before `run` and `lead`. */
export function createWebhook(options: WebhookOptions): Webhook {
  const { client, instance, namespace, served, target, observer, now, random } = options;
  const isWanted = (): boolean => options.config()?.webhook !== undefined;
  /** What replicas are to serve with is the same for both objects, but one of them has a switch. */
  const settling = { switched: new Settling(options.elapsed), always: new Settling(options.elapsed) };
  /** Every replica notes what it sees, as any may lead next. */
  const note = (): void => {
    settling.switched.saw(isWanted(), authority()?.certificate);
    settling.always.saw(true, authority()?.certificate);
  };
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
  const followWebhook = (kind: WebhookKind, settled: Settling) => {
    /** Whether there is one cannot be known, for lack of a right or of the kind: then nobody here made one. */
    const outOfReach = Promise.withResolvers<undefined>();
    let isOutOfReach = false;
    const followed = follow(`${kind.toLowerCase()}s`, webhookPlace(kind, webhookName(instance)), '', ({ reason }) => {
      if (reason !== 'Forbidden' && reason !== 'NotFound') return;
      isOutOfReach = true;
      outOfReach.resolve(undefined);
    });
    return {
      ...followed,
      kind,
      isOwn: (live: KubeObject) => isOwnWebhook(live, instance),
      isKnown: () => followed.live.synced || isOutOfReach,
      whenKnown: (signal: AbortSignal) => Promise.race([followed.live.whenSynced(signal), outOfReach.promise]),
      untilServedMs: (by: X509Certificate) => (serving.serves(by) ? settled.leftMs() : Number.POSITIVE_INFINITY),
    };
  };
  const mutating = {
    ...followWebhook('MutatingWebhookConfiguration', settling.switched),
    wanted: () => {
      const config = options.config();
      // Where only resources are known, nobody has said that it is off.
      if (config === undefined || config.unknown?.configMap === true) return 'unknown';
      const { webhook } = config;
      return webhook === undefined
        ? 'off'
        : (of: ObjectOptions): KubeObject => buildMutating({ ...of, ...webhook, namespace, served });
    },
  } as const;
  const validating = {
    ...followWebhook('ValidatingWebhookConfiguration', settling.always),
    wanted: () => buildValidating,
  } as const;
  const secretName = authoritySecretName(instance);
  const secret = {
    ...follow(`secret ${namespace}/${secretName}`, secretPlace(namespace, secretName), namespace),
    isOwn: (live: KubeObject) => isOwnAuthority(live, instance),
  };
  /** The one that could refuse whoever it does not reach counts before the one that passes them. */
  const decisive = (): KubeObject | undefined => ownOf(mutating) ?? ownOf(validating);

  const authority = remembered(
    () => ownOf(secret),
    (live): Authority | undefined => {
      const parsed = live === undefined ? undefined : parseAuthority(dataOf(live));
      if (parsed !== undefined) options.register('webhook authority', parsed.key);
      return parsed;
    },
  );
  const bundle = remembered(decisive, (live): readonly X509Certificate[] => readBundle(caBundleOf(live)));
  /** The API server calls whom the object names, also while this process knows no good configuration, or it is switched off. */
  const isCalled = (): boolean => decisive() !== undefined;
  const serving = createServing({
    address: options.address,
    names: [target.kind === 'url' ? hostOf(target.url) : `${target.name}.${target.namespace}.svc`],
    authority,
    bundle,
    handlers: {
      [REVIEW_PATH]: createReviewHandler({
        ...options,
        config: () => (options.standingDown() ? undefined : options.config()),
        namespace: options.observedNamespace,
      }),
      [RESOURCE_REVIEW_PATH]: createResourceHandler(options),
    },
    onRefused: () => options.onAnswered({ outcome: 'BadReview', ms: 0 }),
    onServed: () => keeper.changed(),
    register: (key) => options.register('webhook leaf', key),
    observer,
    now,
  });
  const keeper = createKeeper({
    ...options,
    objects: [mutating, validating],
    secret,
    authority,
    bundle,
    readOwner: (signal) => readClusterRole(client, options.clusterRole, signal),
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
      const followed = [mutating, validating, secret].map(({ live }) => live.run(signal));
      await Promise.all([...followed, serving.run(signal)]);
    },
    lead: (signal) => keeper.run(signal),
    problem: () => {
      if (isCalled()) return serving.problem();
      if (!mutating.isKnown() || !validating.isKnown()) return 'whether there is a webhook object is not known yet';
      // Nobody calls a webhook that is not there: the leader may be of a version that makes none, and a rollout must get past it.
      // What fails here would fail with the object, too, and the leader makes none while it cannot serve. Only the one with the
      // switch matters enough.
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
    taken: () => [...(isWanted() ? [mutating] : []), validating, secret].filter(isTaken).length,
  };
}

/** The live object, unless it is somebody else's. */
function ownOf({ live, namespace, name, isOwn }: KeptObject): KubeObject | undefined {
  const found = live.get(namespace, name);
  return found !== undefined && isOwn(found) ? found : undefined;
}

function isTaken(object: KeptObject): boolean {
  return object.live.get(object.namespace, object.name) !== undefined && ownOf(object) === undefined;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}
