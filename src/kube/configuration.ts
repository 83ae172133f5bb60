// Follows the ConfigMap and holds the last good configuration: a bad edit must not undo what a good one set up.
import { isRecord } from '../core/records.ts';
import type { Config, EpochMs, Issue, Parsed } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import type { Projected } from './object-cache.ts';
import type { ReflectorEvent } from './reflector-event.ts';
import { Reflector } from './reflector.ts';

/** What the ConfigMap says now, and the last of it that could be used. */
export interface ConfigurationState {
  /** The last configuration that could be used. */
  readonly good: Config | undefined;
  /** The data that it was parsed from. */
  readonly goodData: Readonly<Record<string, string>> | undefined;
  /** Of what is there now: errors, or only warnings when it is valid. */
  readonly issues: readonly Issue[];
  /** Of what is there now; `unknown` = it was not read yet. */
  readonly status: 'valid' | 'invalid' | 'missing' | 'unknown';
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

export interface ConfigurationOptions {
  readonly client: KubeClient;
  /** Of the ConfigMap. */
  readonly namespace: string;
  readonly name: string;
  readonly parse: (data: Readonly<Record<string, string>>) => Parsed<Config>;
  /** Called for each new state; must not wait for anything. */
  readonly onChange: (state: ConfigurationState) => void;
  readonly report: (event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** The ConfigMap as the cache holds it. */
interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** One ConfigMap, followed while `run` runs. */
export class ConfigurationSource {
  readonly #options: ConfigurationOptions;
  readonly #reflector: Reflector<ConfigMap>;
  #state: ConfigurationState = {
    good: undefined,
    goodData: undefined,
    issues: [],
    status: 'unknown',
    uid: undefined,
    resourceVersion: undefined,
  };

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    const { client, namespace, name, report, now, random } = options;
    this.#reflector = new Reflector<ConfigMap>({
      client,
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`,
      fieldSelector: `metadata.name=${name}`,
      project: projectConfigMap,
      isEqual: (a, b) => a.uid === b.uid && isSameData(a.data, b.data),
      onChange: ({ after }) => this.#take(after),
      report: (event) => {
        // A ConfigMap that is not there makes no change: say so once it is known.
        if (event.type === 'synced' && event.items === 0) this.#take(undefined);
        report(event);
      },
      now,
      random,
    });
  }

  get state(): ConfigurationState {
    return this.#state;
  }

  /** True once it is known what the ConfigMap says, or that there is none. */
  get synced(): boolean {
    return this.#reflector.synced;
  }

  /** See Reflector. */
  get lastActivityAt(): EpochMs {
    return this.#reflector.lastActivityAt;
  }

  /** Settles once it is known what the ConfigMap says. Throws KubeError `Aborted`. */
  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#reflector.whenSynced(signal);
  }

  /**
   * Sets a last good configuration that was remembered elsewhere. Returns false, and changes nothing, when there is a good one
   * already or this one cannot be used.
   */
  restore(data: Readonly<Record<string, string>>): boolean {
    if (this.#state.good !== undefined) return false;
    const parsed = this.#parse(data);
    if (!parsed.ok) return false;
    this.#set({ ...this.#state, good: parsed.value, goodData: data });
    return true;
  }

  /** Follows until aborted; never throws. */
  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal);
  }

  #take(configMap: ConfigMap | undefined): void {
    const { good, goodData } = this.#state;
    if (configMap === undefined) {
      const issues = [this.#missing()];
      this.#set({ good, goodData, issues, status: 'missing', uid: undefined, resourceVersion: undefined });
      return;
    }
    const { data, uid, resourceVersion } = configMap;
    const parsed = this.#parse(data);
    const { issues } = parsed;
    this.#set(
      parsed.ok
        ? { good: parsed.value, goodData: data, issues, status: 'valid', uid, resourceVersion }
        : { good, goodData, issues, status: 'invalid', uid, resourceVersion },
    );
  }

  #parse(data: Readonly<Record<string, string>>): Parsed<Config> {
    try {
      return this.#options.parse(data);
    } catch {
      // A bug of ours; what was thrown may quote what was written.
      const message =
        'could not be read because of an error in this program: please report it; the last good one stays';
      return { ok: false, issues: [{ severity: 'error', path: '', message }] };
    }
  }

  #missing(): Issue {
    const { namespace, name } = this.#options;
    const message =
      `there is no ConfigMap ${namespace}/${name}: create it, e.g. with ` +
      `\`kubectl create configmap ${name} -n ${namespace} --from-file=registry-info=<file>\``;
    return { severity: 'error', path: '', message };
  }

  #set(state: ConfigurationState): void {
    this.#state = state;
    this.#options.onChange(state);
  }
}

function projectConfigMap(object: unknown): Projected<ConfigMap> | undefined {
  if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  if (typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  const pairs = Object.entries(isRecord(object.data) ? object.data : {});
  const data = Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
  return { namespace, name, uid, resourceVersion, value: { data, uid, resourceVersion } };
}

function isSameData(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
