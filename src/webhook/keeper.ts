// What the leader does for the webhook: makes the certificate authority, and creates, repairs and removes the webhook objects as they
// are wanted. Every write is guarded by what was observed: two leaders at a time harm nothing.
import type { X509Certificate } from 'node:crypto';
import { disposition, KubeError } from '../core/errors.ts';
import { MANAGER, stateLabels, type WebhookKind } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeObject } from '../kube/client.ts';
import { encodeData, type ObjectCalls } from '../kube/one-object.ts';
import type { Reflector } from '../kube/reflector.ts';
import { authorityData, parseAuthority, planAuthority, trustedBundle, type Authority } from './authority.ts';
import { createAuthority } from './certificates.ts';
import { Loop } from '../kube/loop.ts';
import { mergeObject, type ObjectOptions, type Owner, type Target } from './object.ts';
import type { WebhookObserver } from './observer.ts';
import { Pace } from './pace.ts';

/** One followed object, and the calls that write it. */
export interface KeptObject {
  readonly namespace: string;
  readonly name: string;
  readonly live: Pick<Reflector<KubeObject>, 'get' | 'absorb' | 'absorbDeletion' | 'synced' | 'whenSynced'>;
  /** False = somebody else's has the name. */
  readonly isOwn: (live: KubeObject) => boolean;
  readonly calls: ObjectCalls;
}

/** One of the webhook objects. */
export interface KeptWebhook extends KeptObject {
  readonly kind: WebhookKind;
  /** How it is built while it is wanted; `off` = there must be none, `unknown` = it stays as it is. */
  readonly wanted: () => ((options: ObjectOptions) => KubeObject) | 'off' | 'unknown';
  /** Milliseconds until the API server may be sent to replicas with leaves of this authority; infinite = told by `changed`. */
  readonly untilServedMs: (authority: X509Certificate) => number;
  /** Resolves when it is known, or when nobody here can know it; rejects when aborted before. */
  readonly whenKnown: (signal: AbortSignal) => Promise<unknown>;
}

export interface KeeperOptions {
  readonly instance: string;
  readonly target: Target;
  readonly objects: readonly KeptWebhook[];
  readonly secret: KeptObject;
  /** As the Secret says. */
  readonly authority: () => Authority | undefined;
  /** As the live objects say. */
  readonly bundle: () => readonly X509Certificate[];
  /** The ClusterRole with which the objects go; undefined = there is none, or it may not be read. */
  readonly readOwner: (signal: AbortSignal) => Promise<Owner | undefined>;
  /** Told after each write of ours: no event of a watch follows it. */
  readonly onWritten: () => void;
  readonly observer: WebhookObserver;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** The leader's side. */
export interface Keeper {
  /** Secret, a webhook object, or what this replica serves with changed. */
  changed(): void;
  /** The configuration changed: what is written next does not wait. */
  configured(): void;
  /** Keeps them all until aborted. Waits until they are known; never throws. */
  run(signal: AbortSignal): Promise<void>;
}

const REPLAN_MS = 100;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** Builds it; nothing is written before `run`. */
export function createKeeper(options: KeeperOptions): Keeper {
  const { instance, target, objects, secret, observer, now, random } = options;
  const paces = new Map(objects.map(({ kind }) => [kind, new Pace()]));
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
    // What cannot be read is left alone, and does not keep the other waiting.
    const readable = objects.filter((object) => object.live.synced && !isTaken(object.kind, object));
    for (const object of readable) if (object.wanted() === 'off') await remove(object, signal);
    const wanted = readable.flatMap((object) => {
      const build = object.wanted();
      return typeof build === 'string' ? [] : { object, build };
    });
    if (wanted.length === 0 || isTaken('Secret', secret)) return Number.POSITIVE_INFINITY;
    const { authority, checkAt } = await keepAuthority(signal);
    const owner = await options.readOwner(signal);
    const caBundle = trustedBundle(authority);
    const dueInMs = [checkAt - now()];
    let failure: { readonly error: unknown } | undefined;
    for (const { object, build } of wanted) {
      // With `Fail`, whoever is sent where nobody listens yet is refused.
      const isThere = object.live.get('', object.name) !== undefined;
      const untilServedMs = isThere ? 0 : object.untilServedMs(authority.certificate);
      const built = build({ name: object.name, instance, target, owner, caBundle });
      try {
        dueInMs.push(untilServedMs > 0 ? untilServedMs : await keepObject(object, built, signal));
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return Math.min(...dueInMs);
  }

  /** What is somebody else's is neither deleted nor overwritten, and told of once. */
  function isTaken(kind: WebhookKind | 'Secret', { live, namespace, name, isOwn }: KeptObject): boolean {
    const found = live.get(namespace, name);
    if (found === undefined || isOwn(found)) return false;
    if (!told.has(uidOf(found))) observer({ type: 'nameTaken', kind, name });
    told.add(uidOf(found));
    return true;
  }

  async function remove({ kind, live, name, calls }: KeptWebhook, signal: AbortSignal): Promise<void> {
    const found = live.get('', name);
    if (found === undefined) return;
    await calls.remove(found, signal);
    live.absorbDeletion('', name, uidOf(found));
    observer({ type: 'objectRemoved', kind, name });
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
        : await createAuthority(`${MANAGER} ${instance} ${madeAt}`, now());
    const data = authorityData(pair, previous);
    const authority = parseAuthority(data);
    if (authority === undefined) throw new Error('the authority that was made cannot be read');

    const live = secret.live.get(secret.namespace, secret.name);
    const labels = stateLabels(instance);
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

  /** Gives the milliseconds for which it holds back; infinite = the object is right. */
  async function keepObject(
    { kind, name, live, calls }: KeptWebhook,
    wanted: KubeObject,
    signal: AbortSignal,
  ): Promise<number> {
    const found = live.get('', name);
    const merged = found === undefined ? wanted : mergeObject(found, wanted);
    if (merged === undefined) return Number.POSITIVE_INFINITY;
    const pace = paces.get(kind);
    const pauseMs = pace?.pauseMs(now()) ?? 0;
    if (pauseMs > 0) {
      observer({ type: 'contended', kind, name, pauseMs });
      return pauseMs;
    }
    const answer = await (found === undefined ? calls.create(merged, signal) : calls.replace(merged, signal));
    pace?.wrote(now());
    live.absorb(answer);
    observer({ type: 'objectWritten', kind, name, how: found === undefined ? 'created' : 'updated' });
    options.onWritten();
    return Number.POSITIVE_INFINITY;
  }

  return {
    changed: () => loop.wake(),
    configured() {
      for (const pace of paces.values()) pace.reset();
      loop.wake();
    },
    async run(signal) {
      try {
        // Whatever is in the live objects counts when an authority is made.
        await Promise.all([secret.live.whenSynced(signal), ...objects.map(({ whenKnown }) => whenKnown(signal))]);
      } catch {
        return; // stopped before it was known what there is
      }
      for (const { live } of objects)
        live.whenSynced(signal).then(
          () => loop.wake(),
          () => undefined,
        );
      await loop.run(signal);
    },
  };
}

function uidOf({ metadata }: KubeObject): string {
  return isRecord(metadata) && typeof metadata.uid === 'string' ? metadata.uid : '';
}
