// What the rows of the tables of rights are made of, and what they may look at and touch.
import type { TestObject } from '../support/cluster.ts';
import type { Kubectl } from '../support/kubectl.ts';
import type { Replica, World } from '../support/world.ts';
import type { Manifest } from './helm.ts';

/** What the manifests are rendered for, of which each run has another. */
export const RENDERED = 'renderedname';

/** What a row of the table may look at and touch. */
export interface Run {
  readonly world: World;
  readonly kubectl: Kubectl;
  /** Names the installation; its webhook objects end with it. */
  readonly instance: string;
  /** The namespace of the release. */
  readonly home: string;
  /** A namespace in scope, with the ServiceAccount `default`. */
  readonly tenant: string;
  /** The ConfigMap of the chart's values. */
  readonly valuesName: string;
  readonly replica: () => Replica;
  /** What the chart renders for it, without hooks. */
  readonly manifests: readonly Manifest[];
  /** Writes the configuration: registries for the tenant, and more. */
  configure(more?: Readonly<Record<string, string>>): Promise<void>;
  /** Starts the program anew: some failures it does not try again for minutes. */
  restart(): Promise<void>;
  /** Stops the program and runs `cleanup` with the same rights, of which the Job of the chart has more; gives what it printed. */
  cleanup(): Promise<string>;
  /** Runs a hook of the chart, as that has it, to its end; gives what it printed. */
  hook(hook: Hook): Promise<string>;
  /** A webhook object; undefined = there is none. */
  webhook(kind: 'mutating' | 'validating'): Promise<TestObject | undefined>;
}

/** Before the release goes, and with `helm test`. */
export type Hook = 'cleanup' | 'self-test';

/** A line of the table. */
export interface RightRow {
  /** As `nameOfRight` has it. */
  readonly right: string;
  /** What does not come about without it: the end of a sentence that begins with the right. */
  readonly state: string;
  /** Before the program starts. */
  readonly before?: (run: Run) => Promise<unknown>;
  /** While it runs; it is awaited. */
  readonly act?: (run: Run) => Promise<unknown>;
  readonly holds: (run: Run, printed: string) => Promise<boolean>;
  /** What uses the right uses it once, and not again until this is done, when the right is back. */
  readonly again?: (run: Run) => Promise<unknown>;
  /** The controller never uses it; `cleanup` does, once. */
  readonly byCleanup?: true;
  /** Only that hook has it, once, and the program does not ask for it; `holds` is given what the hook printed. No controller runs beside `cleanup`. */
  readonly byHook?: Hook;
}

/** Host of the registry in every configuration here. */
export const HOST = 'registry.example.com';
/** Secret of the tenant. */
export const SECRET = 'registry-credentials';
/** The ConfigMap that people edit. */
export const CONFIG_MAP = 'acr-configuration';

/** What every row shares. */
export interface Ground {
  readonly world: World;
  readonly kubectl: Kubectl;
  /** What the chart renders for `RENDERED`: the installation, and the hooks, which have rights only while they run. */
  readonly manifests: readonly Manifest[];
  readonly hooks: readonly Manifest[];
}
