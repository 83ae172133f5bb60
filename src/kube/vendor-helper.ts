// Follows the Deployment of an add-on that we replace: two that write the same lists would fight (acr.md sections 9 and 10).
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import { isFinal } from './errors.ts';
import type { Projected } from './object-cache.ts';
import { Reflector, type ReflectorEvent } from './reflector.ts';

export interface VendorHelperOptions {
  readonly client: KubeClient;
  /** The Deployment. */
  readonly place: { readonly namespace: string; readonly name: string };
  /** False = we have no right to look, and need none: it counts as not running. Default true. */
  readonly isLookedFor?: boolean;
  /** It began or ceased to run; must not wait for anything. */
  readonly onChange: (isRunning: boolean) => void;
  readonly report: (event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** What matters of a Deployment. */
interface Deployment {
  /** It is to have Pods, whether it has some yet or not. */
  readonly isWanted: boolean;
}

/** The Deployment, followed while `run` runs. */
export class VendorHelper {
  readonly #place: VendorHelperOptions['place'];
  readonly #reflector: Reflector<Deployment>;
  readonly #isLookedFor: boolean;
  readonly #asked = Promise.withResolvers<undefined>();

  constructor({ client, place, isLookedFor = true, onChange, report, now, random }: VendorHelperOptions) {
    this.#place = place;
    this.#isLookedFor = isLookedFor;
    if (!isLookedFor) this.#asked.resolve(undefined);
    this.#reflector = new Reflector<Deployment>({
      client,
      path: `/apis/apps/v1/namespaces/${place.namespace}/deployments`,
      fieldSelector: `metadata.name=${place.name}`,
      project: projectDeployment,
      isEqual: (a, b) => a.isWanted === b.isWanted,
      onChange: () => onChange(this.isRunning),
      report: (event) => {
        // Whoever may not look for it cannot stand down: that is told, and the work goes on.
        const isKnown = event.type === 'synced' || (event.type === 'failed' && isFinal(event.error));
        if (isKnown) this.#asked.resolve(undefined);
        report(event);
      },
      now,
      random,
    });
  }

  /** False as long as it is not known. */
  get isRunning(): boolean {
    return this.#reflector.get(this.#place.namespace, this.#place.name)?.isWanted ?? false;
  }

  /** Resolves when it was looked for once, found or not, or when we may not look or are not to. */
  whenAsked(): Promise<undefined> {
    return this.#asked.promise;
  }

  /** Follows it until aborted; never throws. */
  run(signal: AbortSignal): Promise<void> {
    return this.#isLookedFor ? this.#reflector.run(signal) : Promise.resolve();
  }
}

function projectDeployment(object: unknown): Projected<Deployment> | undefined {
  if (!isRecord(object) || !isRecord(object.metadata)) return undefined;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  if (typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  const replicas = isRecord(object.spec) ? object.spec.replicas : undefined;
  return { namespace, name, uid, resourceVersion, value: { isWanted: replicas !== 0 } };
}
