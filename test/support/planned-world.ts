// One namespace in memory with the semantics of the API: guards on writes, immutable fields, conflicts, names that are taken.
import type { PlanSettings } from '../../src/core/assess-secret.ts';
import { digestOf, parseEntries } from '../../src/core/docker-config.ts';
import {
  CREDENTIALS_ANNOTATION,
  DEFINITION_ANNOTATION,
  DIGEST_ANNOTATION,
  isManaged,
  PLACE_ANNOTATION,
  SECRET_TYPE,
} from '../../src/core/names.ts';
import type { SecretContent, Write } from '../../src/core/plan-types.ts';
import type { EpochMs, Observed, ObservedSecret } from '../../src/core/types.ts';
import { NAMESPACE } from './builders.ts';

/** A Secret as the API server holds it. */
export interface StoredSecret {
  uid: string;
  resourceVersion: string;
  type: string;
  immutable: boolean;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  text: string;
}

/** A ServiceAccount as the API server holds it. */
export interface StoredServiceAccount {
  uid: string;
  resourceVersion: string;
  createdAt: EpochMs;
  labels: Readonly<Record<string, string>>;
  imagePullSecrets: readonly string[];
  /** The annotation of each instance. */
  recorded: Readonly<Record<string, readonly string[]>>;
}

/** How the server answers a write. */
export type Answer = 'Done' | 'Conflict' | 'AlreadyExists' | 'NotFound' | 'Invalid';

/** The namespace. Everything in it is public: tests edit it as foreign writers do. */
export class PlannedWorld {
  readonly secrets = new Map<string, StoredSecret>();
  readonly serviceAccounts = new Map<string, StoredServiceAccount>();
  readonly contendedUntil = new Map<string, EpochMs>();
  readonly refusedUntil = new Map<string, EpochMs>();
  /** Per instance: names of foreign Secrets that it met. */
  readonly sighted = new Map<string, Set<string>>();
  namespaceLabels: Readonly<Record<string, string>> = {};
  #counter = 100;

  /** A resourceVersion or UID that was never used. */
  next(): string {
    this.#counter += 1;
    return String(this.#counter);
  }

  /** What the caches of `instance` show: the Secrets with its labels, and foreign ones that it met. */
  observe(instance: string): Observed {
    const all = [...this.secrets].map(([name, secret]) => observedSecret(name, secret));
    return {
      namespace: { name: NAMESPACE, labels: this.namespaceLabels, terminating: false },
      serviceAccounts: [...this.serviceAccounts].map(([name, account]) => ({
        namespace: NAMESPACE,
        name,
        uid: account.uid,
        resourceVersion: account.resourceVersion,
        createdAt: account.createdAt,
        labels: account.labels,
        imagePullSecrets: account.imagePullSecrets,
        recorded: account.recorded[instance] ?? [],
      })),
      secrets: new Map(
        all
          .filter((secret) => isManaged(secret, instance) || this.sighted.get(instance)?.has(secret.name) === true)
          .map((secret) => [secret.name, secret]),
      ),
      contendedUntil: this.contendedUntil,
      refusedUntil: this.refusedUntil,
    };
  }

  /** Makes one write as the API server would. A name that is taken is looked at, as a pass does. */
  apply(write: Write, { instance }: Pick<PlanSettings, 'instance'>): Answer {
    if (write.kind === 'patch-service-account') {
      const account = this.serviceAccounts.get(write.name);
      if (account?.uid !== write.uid) return 'NotFound';
      if (account.resourceVersion !== write.resourceVersion) return 'Conflict';
      account.resourceVersion = this.next();
      account.imagePullSecrets = write.imagePullSecrets;
      account.recorded = { ...account.recorded, [instance]: write.recorded };
      return 'Done';
    }
    const present = this.secrets.get(write.name);
    if (write.kind === 'create-secret') {
      if (present !== undefined) {
        this.sighted.set(instance, (this.sighted.get(instance) ?? new Set()).add(write.name));
        return 'AlreadyExists';
      }
      this.#create(write.name, write.content);
      return 'Done';
    }
    this.sighted.get(instance)?.delete(write.name);
    if (present === undefined) return 'NotFound';
    if (present.uid !== write.uid || present.resourceVersion !== write.resourceVersion) return 'Conflict';
    if (write.kind === 'delete-secret') this.secrets.delete(write.name);
    else if (write.kind === 'mark-secret') {
      present.resourceVersion = this.next();
      present.annotations = { ...present.annotations, [DEFINITION_ANNOTATION]: write.definition };
    } else if (write.kind === 'replace-secret') this.#create(write.name, write.content);
    else {
      if (present.immutable) return 'Invalid';
      present.resourceVersion = this.next();
      present.labels = { ...present.labels, ...write.content.labels };
      present.annotations = { ...present.annotations, ...write.content.annotations };
      present.text = write.content.dockerConfigJson;
    }
    return 'Done';
  }

  #create(name: string, content: SecretContent): void {
    this.secrets.set(name, {
      uid: this.next(),
      resourceVersion: this.next(),
      type: SECRET_TYPE,
      immutable: false,
      labels: content.labels,
      annotations: content.annotations,
      text: content.dockerConfigJson,
    });
  }
}

/** The projection that the cache makes. */
export function observedSecret(name: string, secret: StoredSecret): ObservedSecret {
  return {
    namespace: NAMESPACE,
    name,
    uid: secret.uid,
    resourceVersion: secret.resourceVersion,
    type: secret.type,
    immutable: secret.immutable,
    labels: secret.labels,
    place: secret.annotations[PLACE_ANNOTATION],
    entries: parseEntries(secret.annotations[CREDENTIALS_ANNOTATION]),
    recordedDigest: secret.annotations[DIGEST_ANNOTATION],
    contentDigest: digestOf({ dockerConfigJson: secret.text, entries: secret.annotations[CREDENTIALS_ANNOTATION] }),
    definition: secret.annotations[DEFINITION_ANNOTATION],
  };
}
