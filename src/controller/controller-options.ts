// What the controller is given, what it tells, and what can be asked of it.
import type { ParsedResource } from '../core/image-pull-secret.ts';
import type { Config, EpochMs, Parsed, SecretReference } from '../core/types.ts';
import type { Revocations } from '../credentials/revocation.ts';
import type { CredentialStore } from '../credentials/store.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ConfigurationSource, ConfigurationState } from '../kube/configuration.ts';
import type { Limiter } from '../kube/limiter.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import type { SecretSources, SourceSecret } from '../kube/secret-sources.ts';
import type { ClusterCaches } from './cluster-caches.ts';
import type { LeftBehind, RevocationObserver } from './left-behind.ts';
import type { PassObserver } from './pass-world.ts';
import type { ResourceObserver, Resources } from './resources.ts';
import type { QueueObserver, WorkQueue } from './work-queue.ts';

/** What the controller is given. */
export interface ControllerOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** Our own namespace. */
  readonly namespace: string;
  /** The only ones that are served; absent = all, which takes rights in the whole cluster. */
  readonly namespaces?: readonly string[] | undefined;
  readonly configMap: { readonly namespace: string; readonly name: string };
  /** False: whether Alibaba's add-on runs is not looked at. Default true. */
  readonly takeOver?: boolean;
  readonly parse: (data: Readonly<Record<string, string>>) => Parsed<Config>;
  /** Reads the `spec` of an `ImagePullSecret`. */
  readonly parseResource: (name: string, spec: unknown) => ParsedResource;
  /** Builds the store; what it tells goes to the hooks. */
  readonly createStore: (hooks: StoreHooks) => {
    readonly store: CredentialStore;
    readonly sources: SecretSources;
    readonly revocations: Revocations;
  };
  readonly observer: ControllerObserver;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** What the store and the Secrets of identities tell the controller. */
export interface StoreHooks {
  readonly thresholdMs: () => number;
  readonly onChanged: () => void;
  readonly onSettled: (cacheKey: string) => void;
  readonly onSourceChanged: (reference: SecretReference) => void;
  /** User name and password of an `ImagePullSecret`; undefined = there is no such resource. */
  readonly readResource: (name: string) => SourceSecret | undefined;
}

/** What the controller tells: to logs, metrics and Events. */
export interface ControllerObserver extends PassObserver, QueueObserver, ResourceObserver, RevocationObserver {
  readonly onReflector: (kind: string, event: ReflectorEvent) => void;
  readonly onConfiguration: (state: ConfigurationState) => void;
  readonly onStateFailure: (error: unknown) => void;
  readonly onLeading: (leading: boolean) => void;
  /** Told by the leader: the add-on that this one replaces runs, or does not. */
  readonly onVendorHelper: (isRunning: boolean) => void;
}

/** The running whole. */
export interface Controller {
  readonly caches: ClusterCaches;
  readonly configuration: ConfigurationSource;
  readonly resources: Resources;
  /** What is in force; undefined = nothing is known. */
  readonly config: Config | undefined;
  readonly store: CredentialStore;
  readonly queue: WorkQueue;
  /** The add-on that this one replaces runs: nothing is written that it would undo. */
  readonly standingDown: boolean;
  /** What credentials left at clouds; says of how many it could not be removed. */
  readonly leftBehind: Pick<LeftBehind, 'failing'>;
  /** Bounds the writes; says how many wait. */
  readonly lane: Pick<Limiter, 'waiting'>;
  /** Keeps the caches until aborted; never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Works on the queue until aborted, then lets the writes in flight end. Waits for the caches first. */
  lead(signal: AbortSignal): Promise<void>;
}
