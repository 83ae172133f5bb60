// When the API server asks one call to slow down, all of them do: the gate that every call passes.
import { pause } from './pause.ts';

/** Shut while the API server wants to be left alone. */
export interface Gate {
  /** Shuts it for `ms` from now, unless it is shut for longer already. */
  shut(ms: number): void;
  /** Settles when it is open; throws KubeError `Aborted`. */
  pass(signal: AbortSignal | undefined): Promise<void>;
}

/** Builds an open gate. `elapsed` = milliseconds on a clock that is never set. */
export function createGate(elapsed: () => number): Gate {
  let openAt = 0;
  return {
    shut(ms) {
      openAt = Math.max(openAt, elapsed() + ms);
    },
    async pass(signal) {
      for (let left = openAt - elapsed(); left > 0; left = openAt - elapsed()) await pause(left, signal);
    },
  };
}
