// STS of every region behind one loopback port, told apart by the Host header like the cr API.

import type { AlibabaState } from './alibaba-state.ts';
import type { StsCall } from './alibaba-sts-actions.ts';
import { answerSts } from './alibaba-sts-actions.ts';
import type { CertificateAuthority } from './certificates.ts';
import { createServerTls } from './certificates.ts';
import { buildFaultyDelivery, createFaultBook } from './faults.ts';
import type { FaultBook } from './faults.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';

/** How to start STS. */
export interface AlibabaStsOptions {
  readonly state: AlibabaState;
  /** The cloud's clock, epoch milliseconds. */
  readonly now: () => number;
  /** Issues the server certificates; without it the API is plain HTTP. */
  readonly authority?: CertificateAuthority;
  readonly port?: number;
}

/** A running STS. */
export interface AlibabaSts extends Listener {
  readonly faults: FaultBook;
  /** Every call that reached it so far and equals `filter` where it is set, in order. */
  calls(filter?: Partial<StsCall>): readonly StsCall[];
  clearCalls(): void;
}

/** The host to sign and to send in `Host`, as a template like the cr API's. The global `sts.aliyuncs.com` is served too. */
export const STS_HOST_TEMPLATE = 'sts.{region}.aliyuncs.com';

/** What the record says for the region of a host that names none. */
export const GLOBAL_REGION = 'global';

// Hosts that do not exist, as exceptions to the pattern (acr.md section 12).
const REGIONS_WITHOUT_STS: readonly string[] = [
  ...['us-southeast-1', 'cn-zhengzhou-jva', 'cn-heyuan-acdr-1', 'ap-southeast-6', 'ap-southeast-2', 'ap-south-1'],
  'cn-hangzhou-finance',
];
const REGIONS_WITHOUT_PUBLIC_STS: readonly string[] = ['cn-shenzhen-finance-1'];
const STS_HOST = /^sts(-vpc)?\.([a-z0-9-]+)\.(?:aliyuncs\.com|localhost)(?::\d+)?$/;
const GLOBAL_HOST = /^(?:sts\.(?:aliyuncs\.com|localhost)|127\.0\.0\.1|localhost)(?::\d+)?$/;

/**
 * Parses the region out of a Host header: `sts[-vpc].<region>.aliyuncs.com`, or `.localhost`, with or without a port;
 * `global` for the global host and for a bare loopback; `undefined` for a host that does not exist.
 */
export function parseStsRegion(host: string): string | undefined {
  const name = host.toLowerCase();
  if (GLOBAL_HOST.test(name)) return GLOBAL_REGION;
  const [, vpc, region] = STS_HOST.exec(name) ?? [];
  if (region === undefined || REGIONS_WITHOUT_STS.includes(region)) return undefined;
  return vpc === undefined && REGIONS_WITHOUT_PUBLIC_STS.includes(region) ? undefined : region;
}

/** Starts STS on 127.0.0.1. Scripted faults hit only calls whose signature or token is right: a bad one is always refused. */
export async function startAlibabaSts({ state, now, authority, port = 0 }: AlibabaStsOptions): Promise<AlibabaSts> {
  const faults = createFaultBook();
  const calls: StsCall[] = [];
  const listener = await startListener({
    port,
    now,
    ...(authority === undefined
      ? {}
      : { tls: await createServerTls(authority, 'sts', (name) => parseStsRegion(name) !== undefined) }),
    handle: (request) => {
      const { answer, reader, authenticated, call } = answerSts(state, request, {
        region: parseStsRegion(request.headers.host ?? ''),
        now: now(),
      });
      const fault = authenticated ? faults.take(call) : undefined;
      const { delivery, code } =
        fault === undefined ? { delivery: { answer }, code: undefined } : buildFaultyDelivery(answer, fault, reader);
      calls.push({ ...call, code: code ?? call.code });
      return delivery;
    },
  });
  return {
    ...listener,
    faults,
    clearCalls: () => void calls.splice(0),
    calls: (filter = {}) =>
      calls.filter((call) => Object.entries(filter).every(([name, value]) => call[name as keyof StsCall] === value)),
  };
}
