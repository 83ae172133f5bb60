// The master copy: one Secret of our own that holds the current credentials and the last good configuration, so that a new
// leader serves a new namespace even while a cloud is down or the configuration is broken.
import { KubeError } from '../core/errors.ts';
import { STATE_KEYS, stateLabels } from '../core/names.ts';
import { parseRecord } from '../core/records.ts';

/** What the master copy holds. */
export interface State {
  /** The credential store's own text. */
  readonly credentials: string | undefined;
  /** Data of the last good ConfigMap. */
  readonly configuration: Readonly<Record<string, string>> | undefined;
  /** What resources meant before a wrong edit: see `last-good-specs.ts`. */
  readonly resources?: string | undefined;
  /** What may be left at clouds: see `left-behind.ts`. */
  readonly minted?: string | undefined;
}

/** The calls that keep the Secret; each throws KubeError, and waits no longer for its turn when the signal aborts. */
export interface StateSecret {
  /** Decoded data; undefined = there is none. */
  read(signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  /** Creates or overwrites it. */
  write(
    content: {
      readonly labels: Readonly<Record<string, string>>;
      readonly data: Readonly<Record<string, string>>;
    },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface StateKeeperOptions {
  readonly secret: StateSecret;
  readonly instance: string;
  /** What to write now. */
  readonly current: () => State;
  readonly onFailure: (error: unknown) => void;
  /** Waits; resolves early when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How long to wait after a failure; twice as long after each further one, up to the longest. */
const RETRY_MS = { first: 5_000, longest: 60_000 } as const;

/** Most bytes of all values: the API server takes no more than 1 MiB (https://kubernetes.io/docs/concepts/configuration/secret/). */
const MAX_BYTES = 1_000_000;

/** Writes the master copy after changes: one write at a time, changes meanwhile make one more; failures are tried again. */
export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #written: string | undefined;
  #changed = false;
  /** The configuration had no room in what was written last. */
  #isCut = false;
  #running: Promise<void> | undefined;
  /** Aborted by `stop`; undefined = not started. */
  #stopping: AbortController | undefined;

  constructor(options: StateKeeperOptions) {
    this.#options = options;
  }

  /** Reads what an earlier leader left. Throws KubeError when it cannot be known. Nothing or nonsense is an empty state. */
  async read(signal: AbortSignal): Promise<State> {
    const state = await readState(this.#options.secret, signal);
    this.#written = textOf(state);
    return state;
  }

  /** True while a new leader would find everything as it is now. */
  get isWritten(): boolean {
    return !this.#changed && this.#running === undefined;
  }

  /** From now on changes are written. */
  start(): void {
    this.#stopping = new AbortController();
  }

  /** Something of the state changed. Does nothing unless started, or when the text is as it was written last. */
  changed(): void {
    this.#changed = true;
    this.#begin();
  }

  /** No more writes; resolves when the one that was sent is done. Waits neither for a turn nor to try again. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = undefined;
    await this.#running;
  }

  #begin(): void {
    const signal = this.#stopping?.signal;
    if (signal === undefined) return;
    this.#running ??= this.#run(signal).finally(() => {
      this.#running = undefined;
      // Told after the last look, and before this.
      if (this.#changed) this.#begin();
    });
  }

  /** The other parts bound themselves; a ConfigMap may be as long as a Secret, and is there to be read again. */
  #fitting(state: State): State {
    const bytes = bytesOf(state);
    const isCut = bytes > MAX_BYTES;
    if (isCut && !this.#isCut) {
      const message = `The last good configuration has no room in the master copy, which would hold ${bytes} bytes: it is not remembered over a restart`;
      this.#options.onFailure(new KubeError('Invalid', message));
    }
    this.#isCut = isCut;
    return isCut ? { ...state, configuration: undefined } : state;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { secret, instance, current, onFailure, pause } = this.#options;
    const labels = stateLabels(instance);
    let retryMs: number = RETRY_MS.first;
    while (this.#changed && !signal.aborted) {
      this.#changed = false;
      const state = this.#fitting(current());
      const text = textOf(state);
      if (text === this.#written) continue;
      try {
        await secret.write({ labels, data: dataOf(state) }, signal);
        this.#written = text;
        retryMs = RETRY_MS.first;
      } catch (error) {
        onFailure(error);
        this.#changed = true;
        await pause(error instanceof KubeError ? (error.retryAfterMs ?? retryMs) : retryMs, signal);
        retryMs = Math.min(2 * retryMs, RETRY_MS.longest);
      }
    }
  }
}

/** What the values take, bytes. */
function bytesOf(state: State): number {
  return Object.values(dataOf(state)).reduce((bytes, value) => bytes + Buffer.byteLength(value), 0);
}

/** What the master copy holds. Throws KubeError when it cannot be known. Nothing or nonsense is an empty state. */
export async function readState(secret: Pick<StateSecret, 'read'>, signal: AbortSignal): Promise<State> {
  const data = await secret.read(signal);
  return {
    credentials: data?.[STATE_KEYS.credentials],
    configuration: parseConfiguration(data?.[STATE_KEYS.configuration]),
    resources: data?.[STATE_KEYS.resources],
    minted: data?.[STATE_KEYS.minted],
  };
}

function dataOf({ credentials, configuration, resources, minted }: State): Readonly<Record<string, string>> {
  return {
    ...(credentials === undefined ? {} : { [STATE_KEYS.credentials]: credentials }),
    ...(configuration === undefined ? {} : { [STATE_KEYS.configuration]: JSON.stringify(configuration) }),
    ...(resources === undefined ? {} : { [STATE_KEYS.resources]: resources }),
    ...(minted === undefined ? {} : { [STATE_KEYS.minted]: minted }),
  };
}

function textOf(state: State): string {
  return JSON.stringify(dataOf(state));
}

function parseConfiguration(text: string | undefined): State['configuration'] {
  if (text === undefined) return undefined;
  const parsed = parseRecord(text);
  if (parsed === undefined) return undefined;
  const entries = Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries);
}
