// The master copy: one Secret of our own that holds the current credentials and the last good configuration, so that a new
// leader serves a new namespace even while a cloud is down or the configuration is broken.
import { KubeError } from '../core/errors.ts';
import { DOMAIN, MANAGED_BY_LABEL, MANAGER } from '../core/names.ts';
import { isRecord } from '../core/records.ts';

/** What the master copy holds. */
export interface State {
  /** The credential store's own text. */
  readonly credentials: string | undefined;
  /** Data of the last good ConfigMap. */
  readonly configuration: Readonly<Record<string, string>> | undefined;
}

/** The calls that keep the Secret; each throws KubeError. */
export interface StateSecret {
  /** Decoded data; undefined = there is none. */
  read(): Promise<Readonly<Record<string, string>> | undefined>;
  /** Creates or overwrites it. */
  write(labels: Readonly<Record<string, string>>, data: Readonly<Record<string, string>>): Promise<void>;
}

export interface StateKeeperOptions {
  readonly secret: StateSecret;
  readonly instance: string;
  /** What to write now. */
  readonly current: () => State;
  readonly onFailure: (error: unknown) => void;
  /** Waits; resolves early when stopped. */
  readonly pause: (ms: number) => Promise<void>;
}

const RETRY_MS = 5_000;

/** Writes the master copy after changes: one write at a time, changes meanwhile make one more; failures are tried again. */
export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #written: string | undefined;
  #changed = false;
  #running: Promise<void> | undefined;
  #stopped = true;

  constructor(options: StateKeeperOptions) {
    this.#options = options;
  }

  /** Reads what an earlier leader left. Throws KubeError when it cannot be known. Nothing or nonsense is an empty state. */
  async read(): Promise<State> {
    const data = await this.#options.secret.read();
    const state = {
      credentials: data?.['credentials.json'],
      configuration: parseConfiguration(data?.['configuration.json']),
    };
    this.#written = textOf(state);
    return state;
  }

  /** From now on changes are written. */
  start(): void {
    this.#stopped = false;
  }

  /** Something of the state changed. Does nothing unless started, or when the text is as it was written last. */
  changed(): void {
    this.#changed = true;
    if (!this.#stopped) this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** No more writes; resolves when the one in flight is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#changed && !this.#stopped) {
      this.#changed = false;
      const state = this.#options.current();
      const text = textOf(state);
      if (text === this.#written) continue;
      try {
        await this.#options.secret.write(
          { [MANAGED_BY_LABEL]: MANAGER, [`${DOMAIN}/state`]: this.#options.instance },
          dataOf(state),
        );
        this.#written = text;
      } catch (error) {
        this.#options.onFailure(error);
        this.#changed = true;
        await this.#options.pause(error instanceof KubeError ? (error.retryAfterMs ?? RETRY_MS) : RETRY_MS);
      }
    }
  }
}

function dataOf({ credentials, configuration }: State): Readonly<Record<string, string>> {
  return {
    ...(credentials === undefined ? {} : { 'credentials.json': credentials }),
    ...(configuration === undefined ? {} : { 'configuration.json': JSON.stringify(configuration) }),
  };
}

function textOf(state: State): string {
  return JSON.stringify(dataOf(state));
}

function parseConfiguration(text: string | undefined): State['configuration'] {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isRecord(parsed)) return undefined;
    const entries = Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}
