// Provider `tcr`: Tencent Container Registry, Enterprise Edition: tokens of an hour, of ten years, and service accounts (tcr.md section 12).
import { ProviderError } from '../../core/errors.ts';
import type { Credential } from '../../core/types.ts';
import { shortDigest } from '../../core/short-digest.ts';
import type { Owner, ProviderWorld, RegistryProvider } from '../provider.ts';
import { createTencentClient, type TencentClientOptions } from './client.ts';
import { identityOf } from './identities.ts';
import { mint, revoke, type Wish } from './left-behind.ts';
import { fetchHosts, locateInstance } from './located-instance.ts';
import { createStsClient, type StsClient } from './sts.ts';
import { parseTcrTarget, type TcrTarget } from './target.ts';
import { createTcrApi, type InstanceCall, type MintedLogin, type TcrApi } from './tcr-api.ts';

/** The services that it calls. */
export interface TcrServices {
  readonly api: TcrApi;
  readonly sts: StsClient;
  /** Waits, milliseconds. Default: a timer. */
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Builds the services on one client, which all of them share. */
export function createTcrServices(options: TencentClientOptions = {}): TcrServices {
  const client = createTencentClient(options);
  return { api: createTcrApi(client), sts: createStsClient(client) };
}

/** Clocks that differ by less are not worth a remark, milliseconds. */
const CLOCK_REMARK_MS = 60_000;

/** Builds the provider. */
export function createTcrProvider(services: TcrServices = createTcrServices()): RegistryProvider<TcrTarget> {
  const { api, sts, delay } = services;
  const search = (target: TcrTarget, world: ProviderWorld) => ({
    ...{ world, api },
    identity: identityOf(target.identity, sts),
  });
  return {
    name: 'tcr',

    parseTarget: parseTcrTarget,

    registryHosts: ({ domains }) => domains,

    cacheKey: (target) => {
      const { instance, region = 'local', mode, namespaces } = target;
      const which = instance.kind === 'id' ? instance.registryId : `name:${instance.names.join('+')}`;
      const scope = namespaces.length === 0 ? '' : `/${shortDigest(namespaces.join('\n'))}`;
      return `tcr/${region}/${which}/${mode}/${identityOf(target.identity, sts).key}${scope}`;
    },

    secretUse: ({ identity: { base } }) =>
      base.kind === 'secret' ? { reference: base.secret, published: false } : undefined,

    async fetchCredential(target, world, signal) {
      const issuedAt = world.now();
      const located = await locateInstance(target, search(target, world), signal);
      const { call } = located;
      // Before anything is made: what is made for a credential that fails is lost.
      const { hosts, status, warnings: remarks } = await fetchHosts(target, { api, located }, signal);
      const login = await fetchLogin(target, { world, call }, signal).catch((error: unknown) => {
        throw explained(error, status);
      });
      const { username, password, expiresAt, id } = login;
      const { choice, origin, warnings: ofKey = [] } = call.key;
      const warnings = [...ofKey, ...remarks, ...clockRemarks(login)];
      return {
        ...{ username, password, issuedAt, expiresAt },
        ...(id === undefined ? {} : { id }),
        ...(hosts === undefined ? {} : { hosts }),
        ...(warnings.length === 0 ? {} : { warnings }),
        identity: choice === undefined ? origin : `${origin} (${choice})`,
      } satisfies Credential;
    },

    mints: ({ mode }) => mode !== 'temp',

    // Hosts may be many, and are of the credential alone.
    revocationTarget: (target) => ({ ...target, domains: undefined, description: undefined }),

    async revokeCredentials(target, { keep }, world, signal) {
      const { mode } = target;
      if (mode === 'temp') return [];
      const { call } = await locateInstance(target, search(target, world), signal);
      const wish = wishOf({ ...target, mode }, await world.owner(signal));
      return revoke({ ...wish, keep }, { api, call }, { signal, delay });
    },
  };

  async function fetchLogin(
    target: TcrTarget,
    { world, call }: { readonly world: ProviderWorld; readonly call: InstanceCall },
    signal: AbortSignal,
  ): Promise<MintedLogin> {
    const { mode } = target;
    if (mode === 'temp') return api.createInstanceToken({ ...call, type: 'temp' }, signal);
    return mint(wishOf({ ...target, mode }, await world.owner(signal)), { api, call }, signal);
  }

  function wishOf({ mode, ...target }: TcrTarget & Pick<Wish, 'mode'>, owner: Owner): Wish {
    const { description, namespaces, identity, region = 'local' } = target;
    // What two items of one instance may differ in while each has a credential of its own: all that is in the cache key.
    const targetKey = [region, identityOf(identity, sts).key, ...namespaces].join('\n');
    return { mode, targetKey, owner, description, namespaces };
  }
}

/** What is refused by an instance that does not run will go well when it does: no change of the configuration is needed. */
function explained(error: unknown, status = 'Running'): unknown {
  if (!(error instanceof ProviderError) || error.reason !== 'RequestRefused' || status === 'Running') return error;
  const { message, requestId, retryAfterMs } = error;
  const state = status.replace(/[^\w-]/g, '?').slice(0, 40);
  const why = `the instance is in the state ${state}: look at it in the console`;
  return new ProviderError('InstanceNotReady', `${message}; ${why}`, { requestId, retryAfterMs });
}

function clockRemarks({ clockOffsetMs }: MintedLogin): readonly string[] {
  if (Math.abs(clockOffsetMs) < CLOCK_REMARK_MS) return [];
  const minutes = Math.round(Math.abs(clockOffsetMs) / 60_000);
  const off = clockOffsetMs > 0 ? 'behind' : 'ahead of';
  return [
    `the clock of this node is ${minutes} min ${off} the cloud’s, which was asked by its own: check the time of this node`,
  ];
}
