// The `ImagePullSecret` resources in one place: followed, understood as rules, and told about in their status.
import { setImmediate } from 'node:timers/promises';
import type { PlanSettings } from '../core/assess-secret.ts';
import type { KnownResources } from '../core/effective-config.ts';
import type { ParsedResource } from '../core/image-pull-secret.ts';
import { TCR_ASSISTANT } from '../core/names.ts';
import type { Ending } from '../core/password-end.ts';
import type { Claim } from '../core/resource-conflicts.ts';
import { resourceReference } from '../core/resource-source.ts';
import type { CredentialFacts } from '../core/resource-status.ts';
import type { Config, EpochMs, Issue, Rule, SecretReference } from '../core/types.ts';
import type { KubeClient } from '../kube/client.ts';
import { ImagePullSecrets, type ResourceKindState, type Watched } from '../kube/image-pull-secrets.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import type { Resource } from '../kube/resource-objects.ts';
import { writeResourceStatus } from '../kube/resource-status.ts';
import type { SourceSecret } from '../kube/secret-sources.ts';
import { VendorHelper } from '../kube/vendor-helper.ts';
import { DeletedResources } from './deleted-resources.ts';
import { formatLastGood, parseLastGood } from './last-good-specs.ts';
import type { Caches } from './observe.ts';
import { NotedSkips } from './noted-skips.ts';
import type { PassObserver } from './pass-world.ts';
import { createRedefinition } from './redefinition.ts';
import { createResourceView } from './resource-view.ts';
import { ResourceRules } from './resource-rules.ts';
import { ResourceStatuses } from './resource-statuses.ts';
import { Standings } from './standings.ts';
import { waitFor } from './until.ts';

/** What is told of resources. */
export interface ResourceObserver {
  /** It was read, or read again after an edit. */
  readonly onResource: (resource: Resource, issues: readonly Issue[]) => void;
  readonly onResourceGone: (name: string) => void;
  readonly onResourceKind: (state: ResourceKindState) => void;
  /** Told by the leader: the vendor's add-on runs, or does not. */
  readonly onTcrAssistant: (isRunning: boolean) => void;
  /** Which there are, what labels they have, or who serves them may have changed; must not wait for anything. */
  readonly onResources: () => void;
  /** Told when it is near, and when it is over. */
  readonly onPasswordEnding: (resource: Resource, ending: Ending) => void;
  readonly onStatusFailure: (resource: Resource, error: unknown) => void;
}

/** What is known of a credential. */
export interface CredentialView {
  readonly source: (cacheKey: string) => string | undefined;
  readonly facts: (cacheKey: string) => CredentialFacts | undefined;
  /** Why the last attempt failed. */
  readonly failure: (cacheKey: string) => { readonly reason: string; readonly message: string } | undefined;
}

export interface ResourcesOptions {
  readonly client: KubeClient;
  readonly parse: (name: string, spec: unknown) => ParsedResource;
  /** What is in force. */
  readonly config: () => Config | undefined;
  readonly settings: (config: Config) => PlanSettings;
  readonly caches: () => Pick<Caches, 'namespaces' | 'serviceAccounts' | 'secrets'>;
  readonly credentials: CredentialView;
  /** These rules are, or were, in force; undefined = any could have been. Must not wait for anything. */
  readonly onRules: (rules: readonly Rule[] | undefined) => void;
  /** User name or password of a resource changed. */
  readonly onSource: (reference: SecretReference) => void;
  readonly observer: ResourceObserver;
  readonly report: (kind: string, event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** The resources, as the controller sees them. */
export interface Resources {
  known(): KnownResources;
  /** True when it is known which there are, or that there are none at the moment, and they are ours to serve. */
  areKnown(): boolean;
  /** Those that are there, in their latest version; undefined = they are not known, or the vendor's add-on serves them. */
  ours(): readonly Resource[] | undefined;
  /** How many of those are not understood, or refused for another. */
  invalid(): number;
  /** Those whose rule asks for this credential. */
  wanting(cacheKey: string): readonly Resource[];
  /** User name and password, as a source; undefined = there is no such resource. See `ResourceRules.source`. */
  source(name: string): SourceSecret | undefined;
  /** What a new leader cannot find in the resources as they are: see `last-good-specs.ts`. Holds no secret. */
  lastGood(): string | undefined;
  /** Takes over what an earlier leader kept so. */
  restore(text: string | undefined): void;
  watches(): readonly { readonly kind: string; readonly reflector: Watched }[];
  /** Settles when it is known which there are, or that nobody may know. */
  whenAsked(): Promise<unknown>;
  /** Another number each time the definition may have learnt fields: what it dropped is to be written again. */
  definition(): number;
  /** A credential was obtained, or could not be: statuses may have changed. */
  changed(): void;
  /** Hears of every pass on the way to `observer`; `onPass` is told after each, and after each write. */
  observing(observer: PassObserver, onPass: () => void): PassObserver;
  run(signal: AbortSignal): Promise<void>;
  /** Keeps the statuses until aborted. */
  lead(signal: AbortSignal): Promise<void>;
}

/** Builds them; nothing is read before `run`. */
export function createResources(options: ResourcesOptions): Resources {
  const { client, observer, now, random } = options;
  const rules = new ResourceRules(options.parse);
  const skips = new NotedSkips(now);
  const deleted = new DeletedResources(options.caches);
  const standings = new Standings();
  let leading = false;

  const kind = new ImagePullSecrets({
    client,
    onChange: (change) => {
      const hasEarlier = deleted.take(change, { definition: kind.definition, isListed: kind.state !== 'served' });
      const { name, rules: touched, isOtherSource } = rules.take(change);
      // Those of the first list come together: `onKind` follows them.
      if (kind.state === 'served') options.onRules(hasEarlier ? undefined : touched);
      if (isOtherSource) options.onSource(resourceReference(name));
      if (change.before !== undefined && change.before.uid !== change.after?.uid) view.forget(change.before.uid);
      if (change.after === undefined) observer.onResourceGone(name);
      else if (kind.state === 'served') tellIssues([change.after]);
      statuses.changed();
      observer.onResources();
    },
    onKind: (state) => {
      observer.onResourceKind(state);
      observer.onResources();
      // It may have been read before they could be listed.
      if (state === 'served') rules.restore(rules.keptFrom(), { areListed: true });
      // What is orphaned belongs to no rule that is known.
      options.onRules(undefined);
      if (state === 'served') tellIssues(kind.all());
    },
    onDefinition: (version) => redefinition.seen(version),
    report: (what, event) => {
      options.report(what, event);
      // Until they were read again nobody knew which there are.
      if (event.type === 'synced') observer.onResources();
    },
    now,
    random,
  });
  const redefinition = createRedefinition(() => {
    kind.reread();
    statuses.changed();
    observer.onResources();
  });
  const assistant = new VendorHelper({
    client,
    place: TCR_ASSISTANT,
    onChange: (isRunning) => {
      if (leading) observer.onTcrAssistant(isRunning);
      if (isRunning) standings.remember(kind.all().map(latest));
      // Resources that went meanwhile left something behind where no rule leads any more.
      options.onRules(undefined);
      statuses.changed();
      observer.onResources();
    },
    report: (event) => options.report('deployments', event),
    now,
    random,
  });
  const statuses = new ResourceStatuses({
    names: () => (kind.state === 'served' ? kind.all().map(({ name }) => name) : []),
    resource: (name) => kind.get(name),
    build: (resource, previous) => view.build(resource, previous),
    nextChangeAt: () => view.nextChangeAt(kind.all().map(({ name }) => name)),
    write: async (resource, status, signal) => {
      const object = await writeResourceStatus(client, resource, status, signal);
      kind.absorb(object);
      return object.status;
    },
    definition: () => redefinition.count,
    onFailure: observer.onStatusFailure,
    now,
    pause: waitFor,
    giveWay: () => setImmediate(),
  });
  const view = createResourceView({
    ...options,
    ...{ rules, skips, isStandingDown: () => assistant.isRunning, onPasswordEnding: observer.onPasswordEnding },
  });

  /** What is wrong with each is looked for among all: those of the first list are told of when it is complete. */
  function tellIssues(resources: Iterable<Resource>): void {
    if (!leading) return;
    for (const resource of resources) observer.onResource(resource, view.issuesOf(resource.name));
  }

  // The watch that brings the statuses may be ahead of what counts as being there.
  const latest = (resource: Resource): Resource => kind.latest(resource.name) ?? resource;
  const claimOf = (name: string): Claim | undefined => {
    const resource = kind.latest(name);
    return resource && standings.claimOf(resource);
  };
  return {
    // While the vendor's add-on serves them they are its own, minted ones too (tcr.md section 3): two that write the same Secrets would fight.
    known: () =>
      assistant.isRunning
        ? { known: [], areAll: false, definition: kind.definition }
        : {
            known: rules.all(claimOf),
            areAll: kind.state === 'served',
            definition: kind.definition,
            deleted: deleted.under(kind.definition),
          },
    areKnown: () => kind.state !== 'unknown' && !assistant.isRunning,
    ours: () => (assistant.isRunning ? undefined : kind.served()),
    invalid: () => {
      const isWrong = ({ name }: Resource): boolean => view.issuesOf(name).some(({ severity }) => severity === 'error');
      return assistant.isRunning ? 0 : kind.all().filter(isWrong).length;
    },
    wanting: (cacheKey) => kind.all().filter(({ name }) => view.cacheKeyOf(name) === cacheKey),
    source: (name) => rules.source(name),
    lastGood: () => formatLastGood(rules.keptFrom()),
    restore(text) {
      const areListed = kind.state === 'served';
      if (rules.restore(parseLastGood(text), { areListed })) options.onRules(undefined);
    },
    watches: () => kind.reflectors(),
    whenAsked: () => Promise.all([kind.whenAsked(), assistant.whenAsked()]),
    changed: () => statuses.changed(),
    definition: () => redefinition.count,
    observing: (passes, onPass) =>
      skips.observing(passes, () => {
        statuses.changed();
        onPass();
      }),
    run: async (signal) => {
      await Promise.all([kind, assistant, redefinition].map((part) => part.run(signal)));
    },
    async lead(signal) {
      leading = true;
      view.forget();
      observer.onTcrAssistant(assistant.isRunning);
      tellIssues(kind.all());
      statuses.changed();
      await statuses.run(signal);
      leading = false;
    },
  };
}
