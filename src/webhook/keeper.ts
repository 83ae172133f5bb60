// What the leader does for the webhook: makes the certificate authority, and creates, repairs and removes the webhook object as the
// configuration says. Every write is guarded by what was observed: two leaders at a time harm nothing.
import type { X509Certificate } from 'node:crypto';
import { disposition, KubeError } from '../core/errors.ts';
import { MANAGER, stateLabels } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { Config, EpochMs } from '../core/types.ts';
import type { WebhookConfiguration } from '../core/webhook-configuration.ts';
import type { KubeObject } from '../kube/client.ts';
import { encodeData, type ObjectCalls } from '../kube/one-object.ts';
import type { Reflector } from '../kube/reflector.ts';
import { authorityData, parseAuthority, planAuthority, trustedBundle, type Authority } from './authority.ts';
import { createAuthority } from './certificates.ts';
import { Loop } from '../kube/loop.ts';
import { buildObject, mergeObject, type Owner, type Target } from './object.ts';
import type { WebhookObserver } from './observer.ts';
import { Pace } from './pace.ts';

/** One followed object, and the calls that write it. */
export interface KeptObject {
  readonly namespace: string;
  readonly name: string;
  readonly live: Pick<Reflector<KubeObject>, 'get' | 'absorb' | 'absorbDeletion' | 'whenSynced'>;
  /** False = somebody else's has the name. */
  readonly isOwn: (live: KubeObject) => boolean;
  readonly calls: ObjectCalls;
}

export interface KeeperOptions {
  readonly instance: string;
  /** Our own. */
  readonly namespace: string;
  readonly target: Target;
  readonly config: () => Config | undefined;
  readonly object: KeptObject;
  readonly secret: KeptObject;
  /** As the Secret says. */
  readonly authority: () => Authority | undefined;
  /** As the live object says. */
  readonly bundle: () => readonly X509Certificate[];
  /** Milliseconds until the API server may be sent to replicas with leaves of this authority; infinite = told by `changed`. */
  readonly untilServedMs: (authority: X509Certificate) => number;
  /** The ClusterRole with which the object goes; undefined = there is none, or it may not be read. */
  readonly readOwner: (signal: AbortSignal) => Promise<Owner | undefined>;
  /** Told after each write of ours: no event of a watch follows it. */
  readonly onWritten: () => void;
  readonly observer: WebhookObserver;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** The leader's side. */
export interface Keeper {
  /** Secret, webhook object, or what this replica serves with changed. */
  changed(): void;
  /** The configuration changed: what is written next does not wait. */
  configured(): void;
  /** Keeps both until aborted. Waits until they are known; never throws. */
  run(signal: AbortSignal): Promise<void>;
}

const REPLAN_MS = 100;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** Builds it; nothing is written before `run`. */
export function createKeeper(options: KeeperOptions): Keeper {
  const { object, secret, observer, now, random } = options;
  const pace = new Pace();
  let failures = 0;
  /** UIDs of the foreign objects that were told of. */
  const told = new Set<string>();

  const step = async (signal: AbortSignal): Promise<number> => {
    try {
      const checkInMs = await keep(signal);
      failures = 0;
      return checkInMs;
    } catch (error) {
      if (signal.aborted) return 0;
      const what = disposition(error);
      if (what.kind === 'replan') return REPLAN_MS;
      failures += 1;
      observer({ type: 'failed', what: 'Keeping the webhook', error });
      const backoff = Math.min(RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS) * (1 + 0.2 * random());
      return Math.max(backoff, error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0);
    }
  };
  const loop = new Loop(step);

  /** Makes what is missing; gives the milliseconds until something is due. */
  async function keep(signal: AbortSignal): Promise<number> {
    const config = options.config();
    // No good ConfigMap is known: leave everything as it is.
    if (config === undefined || config.unknown?.configMap === true) return Number.POSITIVE_INFINITY;
    if (isTaken('MutatingWebhookConfiguration', object)) return Number.POSITIVE_INFINITY;
    if (config.webhook === undefined) {
      await remove(signal);
      return Number.POSITIVE_INFINITY;
    }
    if (isTaken('Secret', secret)) return Number.POSITIVE_INFINITY;
    const { authority, checkAt } = await keepAuthority(signal);
    // With `Fail`, whoever is sent where nobody listens yet is refused.
    const isThere = object.live.get('', object.name) !== undefined;
    const untilServedMs = isThere ? 0 : options.untilServedMs(authority.certificate);
    if (untilServedMs > 0) return Math.min(checkAt - now(), untilServedMs);
    const heldBackMs = await keepObject(config.webhook, authority, signal);
    return Math.min(checkAt - now(), heldBackMs ?? Number.POSITIVE_INFINITY);
  }

  /** What is somebody else's is neither deleted nor overwritten, and told of once. */
  function isTaken(
    kind: 'MutatingWebhookConfiguration' | 'Secret',
    { live, namespace, name, isOwn }: KeptObject,
  ): boolean {
    const found = live.get(namespace, name);
    if (found === undefined || isOwn(found)) return false;
    if (!told.has(uidOf(found))) observer({ type: 'nameTaken', kind, name });
    told.add(uidOf(found));
    return true;
  }

  async function remove(signal: AbortSignal): Promise<void> {
    const live = object.live.get('', object.name);
    if (live === undefined) return;
    await object.calls.remove(live, signal);
    object.live.absorbDeletion('', object.name, uidOf(live));
    observer({ type: 'objectRemoved', name: object.name });
  }

  /** The Secret first: an authority that nobody can sign with must not be trusted. */
  async function keepAuthority(signal: AbortSignal): Promise<{ authority: Authority; checkAt: EpochMs }> {
    const held = options.authority();
    const plan = planAuthority(held, options.bundle(), now());
    if (plan.kind === 'keep' && held !== undefined) return { authority: held, checkAt: plan.checkAt };
    const previous = plan.kind === 'keep' ? [] : plan.previous;
    const madeAt = new Date(now()).toISOString().slice(0, 19).replaceAll(':', '');
    const pair =
      plan.kind === 'amend' && held !== undefined
        ? held
        : await createAuthority(`${MANAGER} ${options.instance} ${madeAt}`, now());
    const data = authorityData(pair, previous);
    const authority = parseAuthority(data);
    if (authority === undefined) throw new Error('the authority that was made cannot be read');

    const live = secret.live.get(secret.namespace, secret.name);
    const labels = stateLabels(options.instance);
    const body = { metadata: { labels }, data: encodeData(data) };
    const answer =
      live === undefined
        ? await secret.calls.create(
            { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', ...body, metadata: { name: secret.name, labels } },
            signal,
          )
        : await secret.calls.patch(live, body, signal);
    secret.live.absorb(answer);
    const expiresAt = authority.certificate.validToDate.getTime();
    observer({ type: 'authorityWritten', expiresAt, previous: previous.length });
    options.onWritten();
    return { authority, checkAt: now() };
  }

  /** Gives the milliseconds for which it holds back; undefined = the object is right. */
  async function keepObject(
    configuration: WebhookConfiguration,
    authority: Authority,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { instance, namespace, target } = options;
    const wanted = buildObject({
      ...configuration,
      name: object.name,
      instance,
      namespace,
      target,
      owner: await options.readOwner(signal),
      caBundle: trustedBundle(authority),
    });
    const live = object.live.get('', object.name);
    const merged = live === undefined ? wanted : mergeObject(live, wanted);
    if (merged === undefined) return undefined;
    const pauseMs = pace.pauseMs(now());
    if (pauseMs > 0) {
      observer({ type: 'contended', name: object.name, pauseMs });
      return pauseMs;
    }
    const answer = await (live === undefined
      ? object.calls.create(merged, signal)
      : object.calls.replace(merged, signal));
    pace.wrote(now());
    object.live.absorb(answer);
    observer({ type: 'objectWritten', name: object.name, how: live === undefined ? 'created' : 'updated' });
    options.onWritten();
    return undefined;
  }

  return {
    changed: () => loop.wake(),
    configured() {
      pace.reset();
      loop.wake();
    },
    async run(signal) {
      try {
        await Promise.all([object.live.whenSynced(signal), secret.live.whenSynced(signal)]);
      } catch {
        return; // stopped before it was known what there is
      }
      await loop.run(signal);
    },
  };
}

function uidOf({ metadata }: KubeObject): string {
  return isRecord(metadata) && typeof metadata.uid === 'string' ? metadata.uid : '';
}
