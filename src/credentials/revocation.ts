// Removes at a cloud what credentials left there, with the identities and the deadline that fetching has.
import { setTimeout as pause } from 'node:timers/promises';
import type { CredentialRequest } from '../core/types.ts';
import { withProvider } from './attempt.ts';
import type { Identities } from './identities.ts';
import type { CredentialStoreOptions } from './store-options.ts';

/** A request whose credentials leave something behind. */
export type MintedRequest = Pick<CredentialRequest, 'provider' | 'target' | 'cacheKey'>;

/** How long one revocation may take, milliseconds: clouds are slow to show that something is gone. */
const TIMEOUT_MS = 60_000;

/** Removes what was left behind. */
export interface Revocations {
  /** True when credentials for the request leave something behind. Never throws, whatever the target is. */
  mints(request: MintedRequest): boolean;
  /**
   * Deletes what this installation left for the request but for the credential with the id `keep`; gives the ids. Throws
   * ProviderError that names what is left.
   */
  revoke(request: MintedRequest, keep: string | undefined, signal: AbortSignal): Promise<readonly string[]>;
}

/** Builds it. */
export function createRevocations(
  options: Pick<CredentialStoreOptions, 'providers' | 'world' | 'register'> & {
    readonly identities: Pick<Identities, 'get' | 'replace' | 'refuse'>;
  },
): Revocations {
  return {
    mints({ provider: name, target, cacheKey }) {
      const provider = options.providers.get(name);
      try {
        // What was remembered may be older than the form that targets have now: then another key comes of it.
        return provider?.cacheKey(target) === cacheKey && provider.mints(target);
      } catch {
        return false;
      }
    },
    revoke(minted, keep, signal) {
      const request: CredentialRequest = { ...minted, hosts: undefined };
      const abort = new AbortController();
      const stop = (): void => abort.abort();
      signal.addEventListener('abort', stop, { once: true });
      const context = {
        ...options,
        provider: options.providers.get(minted.provider),
        request,
        flight: { reads: new Map(), abort },
        delay: (ms: number, until: AbortSignal) => pause(ms, undefined, { signal: until, ref: false }),
        timeoutMs: TIMEOUT_MS,
      };
      return withProvider(context, (provider, world, until) =>
        provider.revokeCredentials(minted.target, { keep }, world, until),
      ).finally(() => signal.removeEventListener('abort', stop));
    },
  };
}
