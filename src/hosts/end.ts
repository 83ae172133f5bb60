// The end of the block on one node: it is removed, tried again for as long as that fails, and then nothing is done any more until the
// process is asked to end. Whoever waits for it sees by the readiness of the Pod that it is gone.
import { setTimeout as pause } from 'node:timers/promises';
import { HostsFailure } from './failure.ts';
import type { HostsUpdater } from './updater.ts';

/** What it is given. */
export interface HostsEndOptions {
  readonly updater: Pick<HostsUpdater, 'remove' | 'close'>;
  /** Between two attempts, milliseconds. */
  readonly intervalMs: number;
  readonly onFailed: (failure: HostsFailure) => void;
  /** Told once, when the block is gone. */
  readonly onGone: () => void;
}

/** One node's end. */
export interface HostsEnd {
  /** Runs until aborted; true = the block is gone, and no line stays that may be ours. Never throws HostsFailure. */
  run(signal: AbortSignal): Promise<boolean>;
  /** Why it is not done; undefined = it is. */
  problem(): string | undefined;
}

/** Builds it; nothing is read or written before `run`. */
export function createHostsEnd({ updater, intervalMs, onFailed, onGone }: HostsEndOptions): HostsEnd {
  let problem: string | undefined = 'the block was not removed yet';
  const attempt = async (): Promise<boolean> => {
    try {
      const isClean = await updater.remove();
      await updater.close();
      // A second attempt would find no block any more, and those lines would be forgotten.
      problem = isClean ? undefined : 'lines that may be ours were left: the log names them';
      if (isClean) onGone();
      return true;
    } catch (error) {
      if (!(error instanceof HostsFailure)) throw error;
      // Where there is no file, there is no block.
      if (error.reason === 'FileMissing') {
        problem = undefined;
        onGone();
        return true;
      }
      problem = `${error.reason}: ${error.message}`;
      onFailed(error);
      return false;
    }
  };
  return {
    async run(signal) {
      while (!signal.aborted && !(await attempt())) {
        await pause(intervalMs, undefined, { signal }).catch(() => undefined);
      }
      if (!signal.aborted) {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      return problem === undefined;
    },
    problem: () => problem,
  };
}
