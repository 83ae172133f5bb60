// The metadata service of a node as identities see it, with just enough of its rules to tell its versions apart.
import { ProviderError } from '../../../src/core/errors.ts';
import type { MetadataAnswer, MetadataRequest, ProviderWorld } from '../../../src/providers/provider.ts';
import { emptyWorld, WORLD_NOW } from '../../support/provider-world.ts';

const V2_HEADER = 'x-aliyun-ecs-metadata-token';

/** How the service behaves. */
export interface MetadataState {
  mode: 'both' | 'v1' | 'hardened' | 'limited' | 'absent';
  /** Of who has no valid token. */
  refusalStatus: number;
  /** undefined = the node has no role. */
  roleName: string | undefined;
  /** The tokens that it accepts. */
  readonly tokens: Set<string>;
  expiresAt: number;
  sessions: number;
  readonly calls: string[];
}

/** A world with such a service. */
export function metadataWorld(more: Partial<ProviderWorld> = {}): { world: ProviderWorld; state: MetadataState } {
  const state: MetadataState = {
    ...{ mode: 'both', refusalStatus: 403, roleName: 'worker', tokens: new Set<string>(), sessions: 0, calls: [] },
    expiresAt: WORLD_NOW + 6 * 3_600_000,
  };
  return { state, world: emptyWorld({ http: (request) => answer(state, request), ...more }) };
}

function answer(state: MetadataState, { method, url, headers = {} }: MetadataRequest): Promise<MetadataAnswer> {
  const { pathname, host } = new URL(url);
  state.calls.push(`${method} ${pathname}`);
  const reply = (status: number, text = ''): Promise<MetadataAnswer> => Promise.resolve({ status, text });
  if (state.mode === 'absent') {
    return Promise.reject(
      new ProviderError('CloudUnavailable', `no metadata service answers at ${host} (no answer in time)`),
    );
  }
  if (state.mode === 'limited') return reply(429);
  if (method === 'PUT') {
    if (state.mode === 'v1') return reply(404);
    const token = `fake-metadata-token-${state.tokens.size}`;
    state.tokens.add(token);
    return reply(200, token);
  }
  const token = headers[V2_HEADER];
  if (token === undefined ? state.mode === 'hardened' : !state.tokens.has(token)) return reply(state.refusalStatus);
  if (pathname.endsWith('/region-id')) return reply(200, 'cn-hangzhou\n');
  if (state.roleName === undefined) return reply(404);
  if (pathname.endsWith('/security-credentials/')) return reply(200, `${state.roleName}\n`);
  if (!pathname.endsWith(`/${state.roleName}`)) return reply(404);
  state.sessions += 1;
  return reply(
    200,
    JSON.stringify({
      ...{ AccessKeyId: 'STS.fakenode', AccessKeySecret: 'fake-node-secret', SecurityToken: 'fake-node-token' },
      ...{ Expiration: new Date(state.expiresAt).toISOString(), Code: 'Success' },
    }),
  );
}
