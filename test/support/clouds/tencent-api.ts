// One API of Tencent Cloud on a loopback port: tcr or sts. The Host header says nothing of the region; `X-TC-Region` does.

import type { CertificateAuthority } from './certificates.ts';
import { createServerTls } from './certificates.ts';
import { buildFaultyDelivery, createFaultBook, isCarriedOut } from './faults.ts';
import type { Delivery, FaultBook } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
import type { SignedRequest } from './acs3.ts';
import { isZipped } from './tencent-answers.ts';
import type { Api, TencentCall } from './tencent-gateway.ts';
import { admit, isHostOf } from './tencent-gateway.ts';
import type { TencentState } from './tencent-state.ts';

/** How to start an API. */
export interface TencentApiOptions {
  readonly api: Api;
  readonly state: TencentState;
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  /** Issues the server certificates; without it the API is plain HTTP. */
  readonly authority?: CertificateAuthority;
  readonly port?: number;
}

/** A running API. */
export interface TencentApi extends Listener {
  readonly faults: FaultBook;
  /** Every call that reached it so far and equals `filter` where it is set, in order. */
  calls(filter?: Partial<TencentCall>): readonly TencentCall[];
  clearCalls(): void;
}

/**
 * Starts an API on 127.0.0.1. Scripted faults hit only calls whose signature is right: a bad one is always refused. A fault that
 * stands for a refusal comes before anything is changed; a reply that is lost (`reset`, `cut`, …) after it.
 */
export async function startTencentApi(options: TencentApiOptions): Promise<TencentApi> {
  const { api, state, now, authority, port = 0 } = options;
  const faults = createFaultBook();
  const calls: TencentCall[] = [];
  const handle = (request: SignedRequest): Delivery => {
    const admission = admit(api, state, request, now());
    const { call, reader, authenticated } = admission;
    const fault = authenticated ? faults.take(call) : undefined;
    const done = fault === undefined || isCarriedOut(fault) ? admission.run() : { answer: EMPTY, code: '' };
    const spoilt = fault === undefined ? undefined : buildFaultyDelivery(done.answer, fault, reader);
    calls.push({ ...call, code: spoilt?.code ?? done.code });
    const delivery = spoilt?.delivery ?? { answer: done.answer };
    const isCompressed = isZipped(state, request.headers['accept-encoding'] ?? '');
    return isCompressed ? { ...delivery, gzip: true } : delivery;
  };
  const tls =
    authority && (await createServerTls(authority, `tencent-${api.service}`, (name) => isHostOf(api.service, name)));
  const listener = await startListener({ port, now, handle, ...(tls === undefined ? {} : { tls }) });
  return {
    ...listener,
    faults,
    clearCalls: () => void calls.splice(0),
    calls: (filter = {}) =>
      calls.filter((call) =>
        Object.entries(filter).every(([name, value]) => call[name as keyof TencentCall] === value),
      ),
  };
}

const EMPTY = { status: 200, headers: { 'content-type': 'application/json' }, body: '' };
