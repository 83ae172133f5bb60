// What every replica does for the webhook: keeps a leaf that the API server trusts, and serves with it. The first leaf opens the
// port; from then on it stays open until the process ends.
import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EpochMs } from '../core/types.ts';
import { planLeaf, type Authority, type Leaf } from './authority.ts';
import { isTrusted, issueLeaf } from './certificates.ts';
import { Loop } from '../kube/loop.ts';
import type { WebhookObserver } from './observer.ts';
import { startWebhookServer, type ReviewHandlers, type WebhookServer } from './server.ts';

export interface ServingOptions {
  /** `:10250`. */
  readonly address: string;
  /** DNS names and IP addresses under which the API server calls. */
  readonly names: readonly string[];
  /** From its Secret; undefined = there is none (yet). */
  readonly authority: () => Authority | undefined;
  /** Of the live webhook object that matters most; empty = there is none (yet). */
  readonly bundle: () => readonly X509Certificate[];
  /** By path: body of a review -> body of the answer; must not throw. */
  readonly handlers: ReviewHandlers;
  readonly onRefused: () => void;
  /** Told when it listens, and when it serves with another leaf. */
  readonly onServed: () => void;
  /** Told of each private key that is made. */
  readonly register: (key: string) => void;
  readonly observer: WebhookObserver;
  readonly now: () => EpochMs;
  /** Longest pause between two looks at the clock, milliseconds. Default: 20 s. */
  readonly maxPauseMs?: number;
}

/** The serving side. */
export interface Serving {
  /** Secret or webhook object changed. */
  changed(): void;
  /** Serves until aborted, then goes on for a moment while API servers look elsewhere, and closes. Never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Why the API server cannot use this replica; undefined = it can. */
  problem(): string | undefined;
  /** Why the last attempt to mint or to listen failed; undefined = it did not. */
  failure(): string | undefined;
  /** True when it listens with a leaf of this authority. */
  serves(authority: X509Certificate): boolean;
  /** When the leaf ends; undefined = there is none. */
  leafExpiresAt(): EpochMs | undefined;
}

/** How long it goes on after the process was asked to end: a Service needs a moment to forget it. */
const DRAIN_MS = 5_000;
const RETRY_MS = 5_000;
/** A step reads nothing but memory: after the clock was set, what is served must not be wrong for long. */
const MAX_PAUSE_MS = 20_000;

/** Builds it; nothing is opened before `run`. */
export function createServing(options: ServingOptions): Serving {
  const { address, names, authority, bundle, observer, now } = options;
  let leaf: Leaf | undefined;
  let server: WebhookServer | undefined;
  let failure: string | undefined;
  let ending = false;
  let trusted: { readonly fingerprint: string; readonly since: EpochMs } | undefined;

  /** Since when the live bundle has held the authority, as far as this process has seen. */
  const trustedSince = (held: Authority | undefined): EpochMs | undefined => {
    const fingerprint = held?.certificate.fingerprint256;
    const isThere = fingerprint !== undefined && bundle().some((one) => one.fingerprint256 === fingerprint);
    if (!isThere) trusted = undefined;
    else if (trusted?.fingerprint !== fingerprint) trusted = { fingerprint, since: now() };
    return trusted?.since;
  };

  const mint = async (by: Authority): Promise<void> => {
    const pair = await issueLeaf(by, names, now());
    options.register(pair.key);
    leaf = { ...pair, certificate: new X509Certificate(pair.cert), issuedBy: by.certificate.fingerprint256 };
    server?.use(leaf);
    observer({ type: 'leafMinted', expiresAt: leaf.certificate.validToDate.getTime() });
    if (server !== undefined) options.onServed();
  };

  const listen = async (pair: Leaf): Promise<void> => {
    server = await startWebhookServer({ ...options, pair });
    observer({ type: 'listening', port: server.port });
    options.onServed();
  };

  const step = async (): Promise<number> => {
    try {
      const held = authority();
      const plan = planLeaf({ leaf, authority: held, bundle: bundle(), trustedSince: trustedSince(held), now: now() });
      if (plan.kind === 'mint' && held !== undefined) await mint(held);
      if (leaf !== undefined && server === undefined) await listen(leaf);
      failure = undefined;
      // Minting changes what is to be decided next.
      return plan.kind === 'mint' ? 0 : (plan.checkAt ?? Number.POSITIVE_INFINITY) - now();
    } catch (error) {
      const code = (error as { code?: unknown } | undefined)?.code;
      const what = server === undefined && leaf !== undefined ? `${address} cannot be listened on` : 'minting failed';
      failure = `${what} (${typeof code === 'string' ? code : 'see the log'})`;
      observer({ type: 'failed', what, error });
      return RETRY_MS;
    }
  };
  const loop = new Loop(step, options.maxPauseMs ?? MAX_PAUSE_MS);

  return {
    changed: () => loop.wake(),
    async run(signal) {
      await loop.run(signal);
      ending = true;
      if (server === undefined) return;
      server.drain();
      await sleep(DRAIN_MS, undefined, { ref: false });
      await server.close();
    },
    problem() {
      if (ending) return 'the process is ending';
      const served = server === undefined ? undefined : leaf;
      // A renewal that fails harms nobody while the leaf is good.
      if (served !== undefined && isTrusted(served.certificate, bundle(), now())) return undefined;
      if (failure !== undefined) return failure;
      return served === undefined
        ? 'the leader has not made the certificate authority yet'
        : 'the certificate of this replica is not trusted by the caBundle of the webhook object';
    },
    failure: () => failure,
    serves: (by) => server !== undefined && leaf !== undefined && isTrusted(leaf.certificate, [by], now()),
    leafExpiresAt: () => leaf?.certificate.validToDate.getTime(),
  };
}
