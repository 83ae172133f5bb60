// Who signed a request, for every API of the cloud: the signature against the keys that the cloud knows, each nonce once.

import type { Acs3Verdict, SignedRequest } from './acs3.ts';
import { MAX_SKEW_MS, verifyAcs3 } from './acs3.ts';
import type { AccessKey, AlibabaState } from './alibaba-state.ts';

/** Decides whether a request is signed by a known key, and remembers the nonce of one that is. `now` is epoch milliseconds. */
export function authenticate(state: AlibabaState, request: SignedRequest, now: number): Acs3Verdict<AccessKey> {
  const verdict = verifyAcs3(request, {
    now,
    findKey: (accessKeyId) => state.accessKeys.get(accessKeyId),
    isNonceUsed: (nonce) => isNonceUsed(state, nonce, now),
  });
  if (verdict.ok) state.nonces.set(verdict.nonce, now);
  return verdict;
}

/** Whether a nonce was used while a request of its date would still be accepted. */
export function isNonceUsed(state: AlibabaState, nonce: string, now: number): boolean {
  for (const [known, at] of state.nonces) {
    if (at >= now - 2 * MAX_SKEW_MS) break; // in order of use: the rest is younger
    state.nonces.delete(known);
  }
  return state.nonces.has(nonce);
}

/** The key that a request says it is signed with, for the record; empty without one. */
export function readClaimedKeyId(request: SignedRequest): string {
  return /Credential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
