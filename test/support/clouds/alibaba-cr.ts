// The cr API of every region behind one loopback port. The Host header says which region was called, because that is
// what the caller signed; the TCP connection always goes to 127.0.0.1.

import { answerCr } from './alibaba-actions.ts';
import type { AlibabaState, Call } from './alibaba-state.ts';
import type { CertificateAuthority } from './certificates.ts';
import { createServerTls } from './certificates.ts';
import { buildFaultyDelivery, createFaultBook } from './faults.ts';
import type { FaultBook } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';

/** How to start the cr API. */
export interface AlibabaCrOptions {
  readonly state: AlibabaState;
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  /** Issues the server certificates; without it the API is plain HTTP. */
  readonly authority?: CertificateAuthority;
  readonly port?: number;
  /** Region of calls whose Host is a bare `127.0.0.1` or `localhost`. Without it they are refused. */
  readonly defaultRegion?: string;
}

/** A running cr API. */
export interface AlibabaCr extends Listener {
  readonly state: AlibabaState;
  readonly faults: FaultBook;
  /** Sets the life of tokens minted from now on, in milliseconds. */
  setTokenLife(ms: number): void;
  /** Every call that reached the API so far and equals `filter` where it is set, in order. */
  calls(filter?: Partial<Call>): readonly Call[];
  clearCalls(): void;
}

/** The host to sign and to send in `Host`, as a template: `{region}` stands for the region (acr.md section 12). */
export const CR_HOST_TEMPLATE = 'cr.{region}.aliyuncs.com';

/** Regions without a VPC endpoint: there the `cr-vpc` host does not resolve (acr.md section 12). */
const REGIONS_WITHOUT_VPC: readonly string[] = ['cn-wulanchabu', 'cn-huhehaote', 'cn-heyuan'];
const CR_HOST = /^cr(-vpc)?\.([a-z0-9-]+)\.(?:aliyuncs\.com|localhost)(?::\d+)?$/;
const BARE_HOST = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/;

/** Parses the region out of a Host header: `cr[-vpc].<region>.aliyuncs.com`, or `.localhost`, with or without a port. */
export function parseCrRegion(host: string, defaultRegion?: string): string | undefined {
  const [, vpc, region] = CR_HOST.exec(host.toLowerCase()) ?? [];
  if (region === undefined) return BARE_HOST.test(host) ? defaultRegion : undefined;
  return vpc !== undefined && REGIONS_WITHOUT_VPC.includes(region) ? undefined : region;
}

/** Starts the cr API on 127.0.0.1. Scripted faults hit only calls that are signed right: a bad one is always refused. */
export async function startAlibabaCr(options: AlibabaCrOptions): Promise<AlibabaCr> {
  const { state, now, authority, port = 0, defaultRegion } = options;
  const faults = createFaultBook();
  const listener = await startListener({
    port,
    now,
    ...(authority === undefined
      ? {}
      : { tls: await createServerTls(authority, 'cr', (name) => parseCrRegion(name) !== undefined) }),
    handle: (request) => {
      const { answer, reader, authenticated, call } = answerCr(state, request, {
        region: parseCrRegion(request.headers.host ?? '', defaultRegion),
        now: now(),
      });
      const fault = authenticated ? faults.take(call) : undefined;
      const { delivery, code } =
        fault === undefined ? { delivery: { answer }, code: undefined } : buildFaultyDelivery(answer, fault, reader);
      state.calls.push({ ...call, code: code ?? call.code });
      return delivery;
    },
  });
  return {
    ...listener,
    state,
    faults,
    setTokenLife: (ms) => void (state.tokenLifeMs = ms),
    clearCalls: () => void state.calls.splice(0),
    calls: (filter = {}) =>
      state.calls.filter((call) => Object.entries(filter).every(([name, value]) => call[name as keyof Call] === value)),
  };
}
