// What planning decides: writes, what is left alone, and when to look again.
import type { EpochMs } from './types.ts';

/** Everything of a Secret that we write. */
export interface SecretContent {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The text of `.dockerconfigjson`. Secret. */
  readonly dockerConfigJson: string;
}

/** Why a write is made: the same word in log, metric and test. */
export type WriteReason =
  | 'SecretMissing'
  | 'SecretAdopted'
  | 'SecretEdited'
  | 'SecretTypeWrong'
  | 'RegistriesChanged'
  | 'SourceChanged'
  | 'CredentialDue'
  | 'LabelsChanged'
  | 'DefinitionChanged'
  | 'ReferenceMissing'
  | 'ReferenceUnwanted'
  | 'SecretUnwanted';

/** One planned API call (a replacement is the only one that takes two). */
export type Write =
  | {
      readonly kind: 'create-secret';
      readonly namespace: string;
      readonly name: string;
      readonly content: SecretContent;
      readonly reason: WriteReason;
    }
  | {
      readonly kind: 'update-secret' | 'replace-secret';
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly content: SecretContent;
      readonly reason: WriteReason;
    }
  /** The content stays as it is. */
  | {
      readonly kind: 'mark-secret';
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      /** UID of the definition, for our annotation. */
      readonly definition: string;
      readonly reason: WriteReason;
    }
  | {
      readonly kind: 'patch-service-account';
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      /** The whole list afterwards. */
      readonly imagePullSecrets: readonly string[];
      /** Our annotation afterwards; empty = it goes. */
      readonly recorded: readonly string[];
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly reason: WriteReason;
    }
  | {
      readonly kind: 'delete-secret';
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly reason: WriteReason;
    };

/** Why something was left alone. */
export type SkipReason =
  | 'CredentialUnavailable'
  | 'LastGoodKept'
  | 'NameTaken'
  | 'Contended'
  | 'WriteRefused'
  | 'VendorHelperRuns'
  | 'NamespaceTerminating'
  | 'NamespaceUnreadable';

/** A named non-action. */
export interface Skip {
  readonly reason: SkipReason;
  /** Secret or ServiceAccount that it is about; of the two reasons about a namespace, that. */
  readonly name: string;
  /** Set where `name` is a Secret although the reason may be about ServiceAccounts. */
  readonly object?: 'Secret';
  /** Its UID, where an Event is to tell of it. */
  readonly uid?: string | undefined;
  /** One sentence for people. No secrets. */
  readonly message: string;
}

/** The decision for one namespace. */
export interface Plan {
  /** In the order to apply them. */
  readonly writes: readonly Write[];
  readonly skips: readonly Skip[];
  /** When to look again although nothing changed; undefined = never. */
  readonly nextCheckAt: EpochMs | undefined;
  /** True when the limit of writes cut the plan: the namespace must be planned again at once. */
  readonly truncated: boolean;
}
