// What passes left alone, and since when: for the status of resources.
import type { Skip } from '../core/plan-types.ts';
import type { EpochMs } from '../core/types.ts';
import type { PassObserver } from './pass-world.ts';

/** What was left alone, and since when without a break. */
export interface NotedSkip extends Skip {
  readonly since: EpochMs;
}

/** The skips of the last pass over each namespace. */
export class NotedSkips {
  readonly #skips = new Map<string, readonly NotedSkip[]>();
  readonly #now: () => EpochMs;

  constructor(now: () => EpochMs) {
    this.#now = now;
  }

  of(namespace: string): readonly NotedSkip[] {
    return this.#skips.get(namespace) ?? [];
  }

  /** Hears of every pass on the way to `observer`; `onPass` is told after each, and after each write. */
  observing(observer: PassObserver, onPass: () => void): PassObserver {
    return {
      ...observer,
      onPlan: (namespace, plan) => {
        if (plan.skips.length === 0) this.#skips.delete(namespace);
        else this.#skips.set(namespace, noted(plan.skips, this.of(namespace), this.#now()));
        onPass();
        observer.onPlan(namespace, plan);
      },
      onWrite: (write) => {
        onPass();
        observer.onWrite(write);
      },
      onGone: (namespace) => {
        this.#skips.delete(namespace);
        onPass();
        observer.onGone(namespace);
      },
    };
  }
}

/** Notes what a pass left alone; what the pass before had left alone too keeps its instant. */
function noted(skips: readonly Skip[], before: readonly NotedSkip[], now: EpochMs): readonly NotedSkip[] {
  return skips.map((skip) => {
    const last = before.find(
      ({ reason, name, object }) => reason === skip.reason && name === skip.name && object === skip.object,
    );
    return { ...skip, since: last?.since ?? now };
  });
}
