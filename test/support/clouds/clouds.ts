// Starts every simulated cloud service on loopback and describes where it is, for tests, scripts and the demo.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlibabaCr } from './alibaba-cr.ts';
import { CR_HOST_TEMPLATE, startAlibabaCr } from './alibaba-cr.ts';
import type { AccessKey, AlibabaState, Instance } from './alibaba-state.ts';
import { buildAlibabaState, buildRegistryService } from './alibaba-state.ts';
import { createCertificateAuthority, createSelfSigned } from './certificates.ts';
import { startControl } from './control.ts';
import type { RegistryUser } from './registry-auth.ts';
import type { RegistryToken } from './registry-token.ts';
import { startRegistryToken } from './registry-token.ts';

/** What the clouds hold at start and where they listen. Every part has a default; ports default to free ones. */
export interface CloudsOptions {
  readonly accessKeys?: readonly AccessKey[];
  readonly instances?: readonly Instance[];
  readonly users?: readonly RegistryUser[];
  /** Life of minted registry tokens, in milliseconds. Default one hour. */
  readonly tokenLifeMs?: number;
  /** The real clock under the clouds' settable offset, epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Scheme of the cloud APIs. Default `https`. The registry's token endpoint is always plain HTTP. */
  readonly scheme?: 'http' | 'https';
  /** Region of cr calls to a bare `127.0.0.1` or `localhost`. Default: the first instance's. */
  readonly defaultRegion?: string;
  readonly ports?: { readonly cr?: number; readonly registryAuth?: number; readonly control?: number };
}

/** Where the clouds are: what a program under test, or a registry's configuration, must be told. One part per service. */
export interface CloudEndpoints {
  readonly alibaba: {
    /** Connect to `url`; sign and send the Host `host`, `{region}` replaced; trust `caFile` (absent for plain HTTP). */
    readonly cr: { readonly url: string; readonly host: string; readonly caFile?: string };
  };
  /** `service` is that of the first instance; `services` has every instance's by its id, as it is now. */
  readonly registryAuth: {
    readonly realm: string;
    readonly service: string;
    readonly services: Readonly<Record<string, string>>;
    readonly issuer: string;
    readonly rootCertBundle: string;
  };
  /** Base URL of the control interface (`control.ts`). */
  readonly control: string;
}

/** The running clouds. Everything is settable while they run; `stop` also removes their temporary folder. */
export interface Clouds {
  readonly state: AlibabaState;
  readonly cr: AlibabaCr;
  readonly registryToken: RegistryToken;
  readonly endpoints: () => CloudEndpoints;
  /** The clouds' clock, epoch milliseconds. */
  readonly now: () => number;
  /** Moves the clouds' clock against the real one, in milliseconds; 0 brings it back. */
  readonly setClockOffset: (ms: number) => void;
  readonly stop: () => Promise<void>;
}

/** An obviously fake access key, instance and registry user, for callers that bring none of their own. */
export const SAMPLE = {
  accessKey: {
    accessKeyId: 'LTAIsampleaccesskey',
    accessKeySecret: 'sample-secret-not-real',
    accountId: '1000000000000001',
    status: 'Active',
  },
  instance: {
    instanceId: 'cri-sample0000000001',
    instanceName: 'acme',
    regionId: 'cn-hangzhou',
    accountId: '1000000000000001',
  },
  user: { username: 'sample-pusher', password: 'sample-password', actions: ['pull', 'push'] },
} as const satisfies { accessKey: AccessKey; instance: Instance; user: RegistryUser };

/** Starts all services on 127.0.0.1; rejects, leaving nothing behind, when one of them cannot start. */
export async function startClouds(options: CloudsOptions = {}): Promise<Clouds> {
  const { accessKeys = [SAMPLE.accessKey], instances = [SAMPLE.instance], users = [SAMPLE.user], ports = {} } = options;
  let offsetMs = 0;
  const base = options.now ?? Date.now;
  const now = (): number => base() + offsetMs;
  const state = buildAlibabaState({ accessKeys, instances });
  if (options.tokenLifeMs !== undefined) state.tokenLifeMs = options.tokenLifeMs;
  const defaultRegion = options.defaultRegion ?? instances[0]?.regionId;

  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'simulated-clouds-'));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    const authority = options.scheme === 'http' ? undefined : await createCertificateAuthority(dir);
    const signer = await createSelfSigned(dir, 'registry-token', 'Simulated registry token signer');

    const cr = await startAlibabaCr({
      state,
      now,
      port: ports.cr ?? 0,
      ...(authority === undefined ? {} : { authority }),
      ...(defaultRegion === undefined ? {} : { defaultRegion }),
    });
    cleanups.push(() => cr.down());
    const registryToken = await startRegistryToken({ state, now, signer, users, port: ports.registryAuth ?? 0 });
    cleanups.push(() => registryToken.down());

    const endpoints = (): CloudEndpoints => {
      const services = Object.fromEntries(
        [...state.instances.values()].map((instance) => [instance.instanceId, buildRegistryService(instance)]),
      );
      const { realm, issuer, rootCertBundle } = registryToken;
      return {
        alibaba: {
          cr: {
            url: cr.url,
            host: CR_HOST_TEMPLATE,
            ...(authority === undefined ? {} : { caFile: authority.certFile }),
          },
        },
        registryAuth: { realm, service: Object.values(services)[0] ?? '', services, issuer, rootCertBundle },
        control: control.url,
      };
    };
    const setClockOffset = (ms: number): void => void (offsetMs = ms);
    const clouds = { state, cr, registryToken, endpoints, now, setClockOffset, stop };
    const control = await startControl(clouds, ports.control ?? 0);
    cleanups.push(() => control.down());
    return clouds;
  } catch (error) {
    await stop();
    throw error;
  }
}
