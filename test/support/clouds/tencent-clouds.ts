// The services of the simulated Tencent Cloud together; `clouds.ts` starts them beside Alibaba's.

import type { CertificateAuthority, KeyPair } from './certificates.ts';
import type { Listener } from './listener.ts';
import { startRegistryChallenge } from './registry-challenge.ts';
import type { RegistryToken } from './registry-token.ts';
import { startRegistryToken } from './registry-token.ts';
import type { TencentApi } from './tencent-api.ts';
import { startTencentApi } from './tencent-api.ts';
import type { TencentMetadata } from './tencent-metadata.ts';
import { startTencentMetadata } from './tencent-metadata.ts';
import type { TencentMetadataSettings } from './tencent-metadata-answers.ts';
import {
  authorizeTencent,
  buildTencentService,
  findTencentRegistry,
  listRegistryHosts,
  readRegistryHost,
  TOKEN_PATH,
} from './tencent-registries.ts';
import { TENCENT_SAMPLE } from './tencent-sample.ts';
import type { TencentContent, TencentState } from './tencent-state.ts';
import { buildTencentState } from './tencent-state.ts';
import { STS } from './tencent-sts.ts';
import { TCR } from './tencent-tcr.ts';

/** What the cloud holds at start (default `TENCENT_SAMPLE`). */
export interface TencentOptions extends TencentContent {
  /** The instance behind the metadata service, where it differs from the sample. */
  readonly metadata?: Partial<TencentMetadataSettings>;
  /** Life of temporary registry tokens, in milliseconds. Default one hour. */
  readonly tokenLifeMs?: number;
}

/** Where one API is: connect to `url`; sign and send the Host `host`; trust `caFile` (absent for plain HTTP). */
export interface TencentEndpoint {
  readonly url: string;
  readonly host: string;
  readonly caFile?: string;
}

/** As in a real registry's `auth.token` configuration. */
export interface TencentRegistryAuth {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly rootCertBundle: string;
}

/** The running services. Everything is settable while they run. */
export interface TencentClouds {
  readonly state: TencentState;
  readonly tcr: TencentApi;
  readonly sts: TencentApi;
  readonly metadata: TencentMetadata;
  /** The door of every registry, token endpoint included: send its name as Host. */
  readonly registryChallenge: Listener;
  /** The token endpoint alone, on plain HTTP. */
  readonly registryToken: RegistryToken;
  /** What a real registry must be told to be the one that has `host` as a name (`tencent-registries.ts`). */
  registryAuth(host: string): TencentRegistryAuth;
  /** What a program under test must be told. */
  readonly endpoints: {
    readonly tcr: TencentEndpoint;
    readonly sts: TencentEndpoint;
    readonly metadata: { readonly url: string };
  };
  /** The registries that have a name now, by each of their names. */
  registryAuths(): Readonly<Record<string, TencentRegistryAuth>>;
}

/** Starts the services on 127.0.0.1. `onStarted` is told how to end each as soon as it runs. */
export async function startTencent(
  options: TencentOptions,
  common: {
    readonly now: () => number;
    readonly authority: CertificateAuthority | undefined;
    readonly signer: KeyPair;
    readonly ports: Partial<Readonly<Record<'tencentTcr' | 'tencentSts' | 'tencentMetadata' | 'tencentAuth', number>>>;
    readonly onStarted: (cleanup: () => Promise<unknown>) => void;
  },
): Promise<TencentClouds> {
  const { now, authority, signer, ports, onStarted } = common;
  const state = buildTencentState({
    users: options.users ?? [TENCENT_SAMPLE.user],
    keys: options.keys ?? [TENCENT_SAMPLE.key],
    roles: options.roles ?? [TENCENT_SAMPLE.cvmRole, TENCENT_SAMPLE.webRole, TENCENT_SAMPLE.otherRole],
    oidcProviders: options.oidcProviders ?? [TENCENT_SAMPLE.oidcProvider],
    instances: options.instances ?? [TENCENT_SAMPLE.instance],
    personalPasswords: options.personalPasswords ?? TENCENT_SAMPLE.personalPasswords,
  });
  if (options.tokenLifeMs !== undefined) state.tokenLifeMs = options.tokenLifeMs;
  const world = { state, now, ...(authority === undefined ? {} : { authority }) };

  const tcr = await startTencentApi({ ...world, api: TCR, port: ports.tencentTcr ?? 0 });
  onStarted(() => tcr.down());
  const sts = await startTencentApi({ ...world, api: STS, port: ports.tencentSts ?? 0 });
  onStarted(() => sts.down());
  const settings = { ...TENCENT_SAMPLE.metadata, ...options.metadata };
  const metadata = await startTencentMetadata({ state, now, settings, port: ports.tencentMetadata ?? 0 });
  onStarted(() => metadata.down());

  const registryToken = await startRegistryToken({
    ...{ now, signer, path: TOKEN_PATH, findRegistry: readRegistryHost, port: ports.tencentAuth ?? 0 },
    authorize: (request) => authorizeTencent(request, { state, now: now() }),
  });
  onStarted(() => registryToken.down());
  const registryChallenge = await startRegistryChallenge({
    ...{ now, file: 'tencent-registry', otherwise: (request) => registryToken.answer(request) },
    ...(authority === undefined ? {} : { authority }),
    findChallenge: (host) => {
      const registry = findTencentRegistry(state, host);
      return registry && { realm: `https://${host}${TOKEN_PATH}`, service: buildTencentService(registry) };
    },
  });
  onStarted(() => registryChallenge.down());
  const registryAuth = (host: string): TencentRegistryAuth => {
    const registry = findTencentRegistry(state, host);
    if (registry === undefined) throw new Error(`No registry has the name ${host}`);
    const { url, issuer, rootCertBundle } = registryToken;
    const realm = `${url}/${encodeURIComponent(host)}${TOKEN_PATH}`;
    return { realm, service: buildTencentService(registry), issuer, rootCertBundle };
  };

  const caFile = authority === undefined ? {} : { caFile: authority.certFile };
  return {
    ...{ state, tcr, sts, metadata, registryChallenge, registryToken, registryAuth },
    registryAuths: () => Object.fromEntries(listRegistryHosts(state).map((host) => [host, registryAuth(host)])),
    endpoints: {
      tcr: { url: tcr.url, host: 'tcr.tencentcloudapi.com', ...caFile },
      sts: { url: sts.url, host: 'sts.tencentcloudapi.com', ...caFile },
      metadata: { url: metadata.url },
    },
  };
}
