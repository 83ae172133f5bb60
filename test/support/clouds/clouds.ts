// Starts every simulated cloud service on loopback and describes where it is, for tests, scripts and the demo.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlibabaCr } from './alibaba-cr.ts';
import { CR_HOST_TEMPLATE, startAlibabaCr } from './alibaba-cr.ts';
import { authorizeTokenRequest, findRegistry } from './alibaba-registries.ts';
import type { AlibabaMetadata } from './alibaba-metadata.ts';
import { startAlibabaMetadata } from './alibaba-metadata.ts';
import type { MetadataSettings } from './alibaba-metadata-answers.ts';
import type { AlibabaContent, AlibabaState } from './alibaba-state.ts';
import { buildAlibabaState, buildRegistryService } from './alibaba-state.ts';
import type { AlibabaSts } from './alibaba-sts.ts';
import { startAlibabaSts, STS_HOST_TEMPLATE } from './alibaba-sts.ts';
import { createCertificateAuthority, createSelfSigned } from './certificates.ts';
import { startControl } from './control.ts';
import type { Listener } from './listener.ts';
import type { RegistryUser } from './registry-auth.ts';
import { startRegistryChallenge } from './registry-challenge.ts';
import type { RegistryToken } from './registry-token.ts';
import { startRegistryToken } from './registry-token.ts';
import { SAMPLE } from './sample.ts';
import type { TencentClouds, TencentOptions, TencentRegistryAuth } from './tencent-clouds.ts';
import { startTencent } from './tencent-clouds.ts';
import { TENCENT_SAMPLE } from './tencent-sample.ts';

export { SAMPLE, TENCENT_SAMPLE };

/** What the clouds hold at start (default `SAMPLE`) and where they listen; ports default to free ones. */
export interface CloudsOptions extends AlibabaContent {
  readonly users?: readonly RegistryUser[];
  /** The instance behind the metadata service, where it differs from the sample. */
  readonly metadata?: Partial<MetadataSettings>;
  /** Life of minted registry tokens, in milliseconds. Default one hour. */
  readonly tokenLifeMs?: number;
  /** The real clock under the clouds' settable offset, epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Scheme of the cloud APIs. Default `https`. Metadata and the registry's token endpoint are always plain HTTP. */
  readonly scheme?: 'http' | 'https';
  /** Region of cr calls to a bare `127.0.0.1` or `localhost`. Default: the first instance's. */
  readonly defaultRegion?: string;
  readonly ports?: Partial<Readonly<Record<CloudPort, number>>>;
  readonly tencent?: TencentOptions;
}

/** Alibaba's are those without a name before them. */
export type CloudPort =
  | 'cr'
  | 'sts'
  | 'metadata'
  | 'registryAuth'
  | 'tencentTcr'
  | 'tencentSts'
  | 'tencentMetadata'
  | 'tencentAuth'
  | 'control';

/** Where the clouds are: what a program under test, or a registry's configuration, must be told. One part per service. */
export interface CloudEndpoints {
  readonly alibaba: {
    /** Connect to `url`; sign and send the Host `host`, `{region}` replaced; trust `caFile` (absent for plain HTTP). */
    readonly cr: SignedEndpoint;
    readonly sts: SignedEndpoint;
    readonly metadata: { readonly url: string };
  };
  readonly tencent: TencentClouds['endpoints'];
  /** The door of every registry: send its name as Host (`registry-challenge.ts`). */
  readonly registryChallenge: { readonly url: string; readonly caFile?: string };
  /** `service` is that of the first instance; `services` has every instance's by its id, as it is now. */
  readonly registryAuth: {
    readonly realm: string;
    readonly service: string;
    readonly services: Readonly<Record<string, string>>;
    readonly issuer: string;
    readonly rootCertBundle: string;
  };
  /** As `registryChallenge` and `registryAuth`, for Tencent's registries by each of their names (`tencent-registries.ts`). */
  readonly tencentRegistryChallenge: { readonly url: string; readonly caFile?: string };
  readonly tencentRegistryAuth: Readonly<Record<string, TencentRegistryAuth>>;
  /** Base URL of the control interface (`control.ts`). */
  readonly control: string;
}

interface SignedEndpoint {
  readonly url: string;
  readonly host: string;
  readonly caFile?: string;
}

/** The running clouds. Everything is settable while they run; `stop` also removes their temporary folder. */
export interface Clouds {
  readonly state: AlibabaState;
  readonly cr: AlibabaCr;
  readonly sts: AlibabaSts;
  readonly metadata: AlibabaMetadata;
  readonly registryChallenge: Listener;
  readonly registryToken: RegistryToken;
  readonly tencent: TencentClouds;
  readonly endpoints: () => CloudEndpoints;
  /** The clouds' clock, epoch milliseconds. */
  readonly now: () => number;
  /** Moves the clouds' clock against the real one, in milliseconds; 0 brings it back. */
  readonly setClockOffset: (ms: number) => void;
  readonly stop: () => Promise<void>;
}

/** Starts all services on 127.0.0.1; rejects, leaving nothing behind, when one of them cannot start. */
export async function startClouds(options: CloudsOptions = {}): Promise<Clouds> {
  const { users = [SAMPLE.user], ports = {} } = options;
  let offsetMs = 0;
  const base = options.now ?? Date.now;
  const now = (): number => base() + offsetMs;
  const state = buildAlibabaState({
    accessKeys: options.accessKeys ?? [SAMPLE.accessKey],
    roles: options.roles ?? [SAMPLE.workerRole, SAMPLE.managedRole, SAMPLE.roleA, SAMPLE.roleB],
    oidcProviders: options.oidcProviders ?? [SAMPLE.oidcProvider],
    instances: options.instances ?? [SAMPLE.instance],
  });
  if (options.tokenLifeMs !== undefined) state.tokenLifeMs = options.tokenLifeMs;
  const defaultRegion = options.defaultRegion ?? [...state.instances.values()][0]?.regionId;

  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'simulated-clouds-'));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    const authority = options.scheme === 'http' ? undefined : await createCertificateAuthority(dir);
    const signer = await createSelfSigned(dir, 'registry-token', 'Simulated registry token signer');

    const common = { state, now, ...(authority === undefined ? {} : { authority }) };
    const caFile = authority === undefined ? {} : { caFile: authority.certFile };
    const cr = await startAlibabaCr({
      ...common,
      port: ports.cr ?? 0,
      ...(defaultRegion === undefined ? {} : { defaultRegion }),
    });
    cleanups.push(() => cr.down());
    const sts = await startAlibabaSts({ ...common, port: ports.sts ?? 0 });
    cleanups.push(() => sts.down());
    const metadata = await startAlibabaMetadata({
      state,
      now,
      settings: { ...SAMPLE.metadata, ...options.metadata },
      port: ports.metadata ?? 0,
    });
    cleanups.push(() => metadata.down());
    const registryToken = await startRegistryToken({
      ...{ now, signer, users, path: '/auth', port: ports.registryAuth ?? 0 },
      authorize: (request, at) => authorizeTokenRequest(request, { state, ...at }),
    });
    cleanups.push(() => registryToken.down());
    const registryChallenge = await startRegistryChallenge({
      ...common,
      file: 'registry',
      findChallenge: (host) => {
        const registry = findRegistry(state, host);
        return registry && { realm: registryToken.realm, service: buildRegistryService(registry) };
      },
    });
    cleanups.push(() => registryChallenge.down());
    const onStarted = (cleanup: () => Promise<unknown>): void => void cleanups.push(cleanup);
    const tencent = await startTencent(options.tencent ?? {}, { now, authority, signer, ports, onStarted });

    const endpoints = (): CloudEndpoints => {
      const services = Object.fromEntries(
        [...state.instances.values()].map((instance) => [instance.instanceId, buildRegistryService(instance)]),
      );
      const { realm, issuer, rootCertBundle } = registryToken;
      return {
        alibaba: {
          cr: { url: cr.url, host: CR_HOST_TEMPLATE, ...caFile },
          sts: { url: sts.url, host: STS_HOST_TEMPLATE, ...caFile },
          metadata: { url: metadata.url },
        },
        tencent: tencent.endpoints,
        registryChallenge: { url: registryChallenge.url, ...caFile },
        registryAuth: { realm, service: Object.values(services)[0] ?? '', services, issuer, rootCertBundle },
        tencentRegistryChallenge: { url: tencent.registryChallenge.url, ...caFile },
        tencentRegistryAuth: tencent.registryAuths(),
        control: control.url,
      };
    };
    const setClockOffset = (ms: number): void => void (offsetMs = ms);
    const services = { cr, sts, metadata, registryChallenge, registryToken, tencent };
    const clouds = { state, ...services, endpoints, now, setClockOffset, stop };
    const control = await startControl(clouds, ports.control ?? 0);
    cleanups.push(() => control.down());
    return clouds;
  } catch (error) {
    await stop();
    throw error;
  }
}
