// Tencent Cloud as identities see it: STS on the client seam, the metadata service of a node, and files.
import { ProviderError } from '../../../src/core/errors.ts';
import { malformed } from '../../../src/providers/call-failure.ts';
import type { MetadataAnswer, ProviderWorld } from '../../../src/providers/provider.ts';
import { responseOf } from '../../../src/providers/tencent/answer.ts';
import type { CloudRequest, TencentClient } from '../../../src/providers/tencent/cloud-request.ts';
import { createStsClient, type StsClient } from '../../../src/providers/tencent/sts.ts';
import { emptyWorld, WORLD_NOW } from '../../support/provider-world.ts';

export const PLACE = { region: 'ap-guangzhou' };
export const ROLES_PATH = '/latest/meta-data/cam/security-credentials/';

/** How STS answers. */
export interface StsState {
  /** undefined = it gives a session. */
  code: string | undefined;
  lifeMs: number;
  /** Takes the place of the answer. */
  response: Readonly<Record<string, unknown>> | undefined;
  readonly requests: CloudRequest[];
}

/** STS that does as told, and remembers what it was asked. */
export function fakeSts(more: Partial<StsState> = {}): { readonly sts: StsClient; readonly state: StsState } {
  const state: StsState = { code: undefined, lifeMs: 7_200_000, response: undefined, requests: [], ...more };
  const answerTo = (now: number): object => {
    if (state.code !== undefined) return { Error: { Code: state.code, Message: 'x' } };
    const at = now + state.lifeMs;
    const session = {
      TmpSecretId: `fake-id-${state.requests.length}`,
      ...{ TmpSecretKey: 'fake-session-key', Token: 'fake-session-token' },
    };
    const told = { Credentials: session, ExpiredTime: at / 1_000, Expiration: new Date(at).toISOString() };
    return state.response ?? told;
  };
  const client: TencentClient = {
    call(request) {
      state.requests.push(request);
      const { action, subject, key, codes = [] } = request;
      const now = request.now();
      const host = 'sts.tencentcloudapi.com';
      const endpoint = { scheme: 'https', address: host, host, ca: undefined } as const;
      const context = { action, subject, endpoint, origin: key?.origin ?? subject, now, codes };
      const body = JSON.stringify({ Response: { ...answerTo(now), RequestId: 'ID-1' } });
      return new Promise((resolve) => {
        const response = responseOf({ status: 200, headers: {}, body }, context);
        resolve({ response, malformed: (field) => malformed(context, response, field) });
      });
    },
  };
  return { sts: createStsClient(client), state };
}

/** What a node and its files hold. */
export interface NodeState {
  /** By path; what is not there answers 404. undefined = no metadata service answers at all. */
  metadata: Readonly<Record<string, string | MetadataAnswer>> | undefined;
  /** By path; an error is thrown as it is. */
  files: Readonly<Record<string, string | Error>>;
  now: number;
  /** Every URL that was asked for. */
  readonly urls: string[];
  readonly reads: string[];
  /** Every text that was registered as a secret with a session. */
  readonly secrets: string[];
  /** Every name under which something was looked for. */
  readonly names: string[];
}

/** A session as the metadata service tells it. */
export function nodeSession(more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    ...{ TmpSecretId: 'fake-node-id', TmpSecretKey: 'fake-node-key', Token: 'fake-node-token', Code: 'Success' },
    ...{ ExpiredTime: (WORLD_NOW + 3_600_000) / 1_000, Expiration: new Date(WORLD_NOW + 3_600_000).toISOString() },
    ...more,
  });
}

/** What a node with a role tells. */
export const NODE = { [ROLES_PATH]: 'node-role', [`${ROLES_PATH}node-role`]: nodeSession() };

/** A world with that. */
export function tencentWorld(
  more: Partial<ProviderWorld> = {},
  has: Partial<Pick<NodeState, 'metadata' | 'files'>> = {},
): { readonly world: ProviderWorld; readonly state: NodeState } {
  const state: NodeState = {
    ...{ metadata: {}, files: {}, now: WORLD_NOW, urls: [], reads: [], secrets: [], names: [] },
    ...has,
  };
  const world = emptyWorld({
    now: () => state.now,
    http: ({ url }) => {
      state.urls.push(url);
      const { host, pathname } = new URL(url);
      if (state.metadata === undefined) {
        const message = `no metadata service answers at ${host} (ENOTFOUND)`;
        return Promise.reject(new ProviderError('CloudUnavailable', message));
      }
      const found = state.metadata[pathname] ?? { status: 404, text: '' };
      return Promise.resolve(typeof found === 'string' ? { status: 200, text: found } : found);
    },
    readFile: (path) => {
      state.reads.push(path);
      const found = state.files[path];
      if (typeof found === 'string') return Promise.resolve(found);
      const missing = new ProviderError('IdentityUnavailable', `The file ${path} could not be read (ENOENT)`);
      return Promise.reject(found ?? missing);
    },
    ...more,
  });
  const identity: ProviderWorld['identity'] = (name, fetch, signal) => {
    state.names.push(name);
    const telling = async (abort: AbortSignal) => {
      const session = await fetch(abort);
      state.secrets.push(...session.secrets);
      return session;
    };
    return world.identity(name, telling, signal);
  };
  return { world: { ...world, identity }, state };
}
