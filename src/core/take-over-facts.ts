// What is known of a cluster that is to move from Alibaba's add-on to us: read by `migrate from-acr-helper`, judged in `take-over.ts`.
import type { TokenMode } from './item-defaults.ts';
import type {
  Config,
  EpochMs,
  Issue,
  ObservedNamespace,
  ObservedSecret,
  ObservedServiceAccount,
  SecretReference,
  ServiceAccountReference,
} from './types.ts';

/** What was read, or what to allow so that it can be: `allow "list" of secrets in every namespace`. */
export type Looked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly cure: string };

/** The Deployment of the add-on. */
export interface VendorDeployment {
  readonly image: string | undefined;
  /** How many Pods it is to have; 0 = it is stopped. */
  readonly replicas: number;
}

/** Whether the add-on is to have Pods; false where its Deployment could not be read. */
export function isWanted(looked: Looked<VendorDeployment | undefined>): boolean {
  return looked.ok && looked.value !== undefined && looked.value.replicas > 0;
}

/** A Secret without its data; `contentDigest` says nothing. */
export interface FoundSecret extends ObservedSecret {
  /** When a field manager other than ours wrote it, and which; undefined = we wrote it last. */
  readonly othersWrote: { readonly manager: string; readonly at: EpochMs } | undefined;
}

/** The session that ACK lends its add-ons, as its Secret tells; its keys were not read. */
export interface ManagedRoleToken {
  readonly secret: SecretReference;
  /** undefined = it does not say. */
  readonly expiresAt: EpochMs | undefined;
  /** True when it holds the control plane's error in place of a session. */
  readonly hasError: boolean;
}

/** How we will authenticate for one registry of Alibaba's. */
export interface RegistryIdentity {
  /** `cri-a in cn-hangzhou`. */
  readonly registry: string;
  /** True when the item names no region, and only the node knows it. */
  readonly isLocal: boolean;
  readonly base:
    | { readonly kind: 'secret'; readonly secret: SecretReference }
    | { readonly kind: 'inline' }
    | { readonly kind: 'half' }
    | {
        readonly kind: 'rrsa';
        /** undefined = the environment's. */
        readonly roleArn: string | undefined;
        /** undefined = our own. */
        readonly serviceAccount: ServiceAccountReference | undefined;
      }
    | { readonly kind: 'token-mode'; readonly mode: TokenMode };
  /** ARN of the role that is assumed last. */
  readonly assumedRole: string | undefined;
}

/** Something about the configuration, ready to be shown. */
export interface Remark extends Pick<Issue, 'severity' | 'path' | 'correction'> {
  readonly sentence: string;
}

/** The ConfigMap as our parser takes it. */
export interface UnderstoodConfiguration {
  /** undefined = it is refused. */
  readonly config: Config | undefined;
  readonly remarks: readonly Remark[];
  readonly identities: readonly RegistryIdentity[];
}

/** Everything that is known. */
export interface TakeOverFacts {
  readonly now: EpochMs;
  /** Of the ConfigMap. */
  readonly place: { readonly namespace: string; readonly name: string };
  /** Our own namespace, and the name of our installation. */
  readonly namespace: string;
  readonly instance: string;
  readonly helper: Looked<VendorDeployment | undefined>;
  readonly configuration: Looked<UnderstoodConfiguration | undefined>;
  readonly namespaces: Looked<readonly ObservedNamespace[]>;
  readonly serviceAccounts: Looked<readonly ObservedServiceAccount[]>;
  /** Those under the vendor's names, under those that the configuration wants or names, and with our label. */
  readonly secrets: Looked<readonly FoundSecret[]>;
  readonly managedRole: Looked<ManagedRoleToken | undefined>;
  /** The Secret with an AccessKey pair that registered clusters have. */
  readonly addonSecret: SecretReference;
  /** Who holds our Lease: our installation runs. */
  readonly holder: Looked<string | undefined>;
}
