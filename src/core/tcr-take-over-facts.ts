// What is known of a cluster that is to move from Tencent's add-on to us: read by `migrate from-tcr-assistant`, judged in `tcr-take-over.ts`.
import type { Looked, TakeOverFacts, VendorDeployment } from './take-over-facts.ts';
import type { Config, Issue, Rule } from './types.ts';

/** The definition of `ImagePullSecret`. */
export interface FoundDefinition {
  /** `namespace/name` of the Helm release that it belongs to; undefined = of none. */
  readonly release: string | undefined;
}

/** What the claims of a password say that is a token of Tencent's (tcr.md section 12). No secret. */
export interface FoundToken {
  /** undefined = it cannot be revoked: it is a temporary one. */
  readonly tokenId: string | undefined;
  /** Account whose rights it has; undefined = it does not say. */
  readonly operatorUin: string | undefined;
  /** When it was issued and when it ends, epoch milliseconds. */
  readonly issuedAt: number;
  readonly endsAt: number;
}

/** A resource without its password. */
export interface FoundTcrResource {
  readonly name: string;
  /** As it is written; undefined = absent, or no text. */
  readonly namespaces: string | undefined;
  readonly serviceAccounts: string | undefined;
  readonly server: string | undefined;
  /** undefined = its password is no token of Tencent's. */
  readonly token: FoundToken | undefined;
  /** undefined = it cannot be understood. */
  readonly rule: Rule | undefined;
  readonly issues: readonly Issue[];
}

/** A list of names for the nodes' `/etc/hosts`. */
export interface FoundHosts {
  /** Of the ConfigMap. */
  readonly namespace: string;
  /** undefined = it cannot be read as a list. */
  readonly domains: readonly { readonly domain: string; readonly isOn: boolean }[] | undefined;
}

/** Everything that is known. */
export interface TcrTakeOverFacts extends Pick<
  TakeOverFacts,
  'now' | 'namespace' | 'instance' | 'namespaces' | 'serviceAccounts' | 'secrets' | 'holder'
> {
  readonly assistant: Looked<VendorDeployment | undefined>;
  /** Failure policies of the vendor's validating webhook; undefined = there is none. */
  readonly webhook: Looked<readonly string[] | undefined>;
  /** undefined = there is none. */
  readonly definition: Looked<FoundDefinition | undefined>;
  readonly resources: Looked<readonly FoundTcrResource[]>;
  /** Namespaces in which there is a DaemonSet `hosts-updater`. */
  readonly updaters: Looked<readonly string[]>;
  readonly hosts: Looked<readonly FoundHosts[]>;
  /** What would be in force; undefined = no resource is understood. */
  readonly config: Config | undefined;
}
