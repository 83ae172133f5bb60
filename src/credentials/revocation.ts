// Removes at a cloud what credentials left there, with the identities and the deadline that fetching has.
import { setTimeout as pause } from 'node:timers/promises';
import type { CredentialRequest } from '../core/types.ts';
import { withProvider } from './attempt.ts';
import type { Identities } from './identities.ts';
import type { CredentialStoreOptions } from './store-options.ts';
import type { Turns } from './turns.ts';

/** A request whose credentials leave something behind. */
export type MintedRequest = Pick<CredentialRequest, 'provider' | 'target' | 'cacheKey'>;

/** How long one revocation may take, milliseconds: clouds are slow to show that something is gone. */
const TIMEOUT_MS = 60_000;

/** What is revoked, and while what is so. */
export interface Revoking {
  /** Id of the credential that stays; undefined = all go. */
  readonly keep: string | undefined;
  /**
   * Asked once nothing is being fetched for the request, nor will be before the end: false = what is to be revoked has changed while it
   * was waited for.
   */
  readonly isStill: () => boolean;
  readonly signal: AbortSignal;
}

/** Removes what was left behind. */
export interface Revocations {
  /** True when credentials for the request leave something behind. Never throws, whatever the target is. */
  mints(request: MintedRequest): boolean;
  /** As much of the request as revoking needs; undefined = its credentials leave nothing behind. Never throws. */
  toRemember(request: MintedRequest): MintedRequest | undefined;
  /**
   * Deletes what this installation left for the request; gives the ids, undefined when it is not so any more. Throws ProviderError that
   * names what is left, and whatever `signal` was aborted with while it waited.
   */
  revoke(request: MintedRequest, revoking: Revoking): Promise<readonly string[] | undefined>;
}

/** Builds it. `turns` are those of the store: what has just been made, and is not known yet, must not be taken for an old one. */
export function createRevocations(
  options: Pick<CredentialStoreOptions, 'providers' | 'world' | 'register'> & {
    readonly identities: Pick<Identities, 'get' | 'replace' | 'refuse'>;
    readonly turns: Turns;
  },
): Revocations {
  const toRemember: Revocations['toRemember'] = ({ provider: name, target, cacheKey }) => {
    const provider = options.providers.get(name);
    try {
      // What was remembered may be older than the form that targets have now: then another key comes of it.
      if (provider?.cacheKey(target) !== cacheKey || !provider.mints(target)) return undefined;
      return { provider: name, target: provider.revocationTarget(target), cacheKey };
    } catch {
      return undefined;
    }
  };
  return {
    mints: (request) => toRemember(request) !== undefined,
    toRemember,
    async revoke(minted, { keep, isStill, signal }) {
      signal.throwIfAborted();
      const abort = new AbortController();
      const stopped = Promise.withResolvers<never>();
      const stop = (): void => {
        abort.abort();
        stopped.reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      const context = {
        ...options,
        provider: options.providers.get(minted.provider),
        request: { ...minted, hosts: undefined },
        flight: { reads: new Map(), abort },
        delay: (ms: number, until: AbortSignal) => pause(ms, undefined, { signal: until, ref: false }),
        timeoutMs: TIMEOUT_MS,
      };
      const revoked = options.turns.take(minted.cacheKey, async () => {
        if (signal.aborted || !isStill()) return undefined;
        return withProvider(context, (provider, world, until) =>
          provider.revokeCredentials(minted.target, { keep }, world, until),
        );
      });
      try {
        return await Promise.race([revoked, stopped.promise]);
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  };
}
