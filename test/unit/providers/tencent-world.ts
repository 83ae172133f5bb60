// Tencent Cloud as identities see it: STS on the client seam, the metadata service of a node, and files.
import { ProviderError } from '../../../src/core/errors.ts';
import { findMeaning } from '../../../src/providers/error-codes.ts';
import type { MetadataAnswer, ProviderWorld } from '../../../src/providers/provider.ts';
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
  const client: TencentClient = {
    call(request) {
      state.requests.push(request);
      const { action, subject, now, key, codes = [] } = request;
      if (state.code !== undefined) return Promise.reject(refusal(state.code, { action, subject, codes, key }));
      const at = now + state.lifeMs;
      const number = state.requests.length;
      const session = {
        Credentials: {
          TmpSecretId: `fake-id-${number}`,
          TmpSecretKey: 'fake-session-key',
          Token: 'fake-session-token',
        },
        ...{ ExpiredTime: at / 1_000, Expiration: new Date(at).toISOString(), RequestId: 'ID-1' },
      };
      const malformed = (field: string): Error =>
        new ProviderError('CloudUnavailable', `${action} of ${subject} failed: the answer has no usable ${field}`);
      return Promise.resolve({ response: state.response ?? session, malformed });
    },
  };
  return { sts: createStsClient(client), state };
}

function refusal(
  code: string,
  {
    action,
    subject,
    codes,
    key,
  }: Pick<CloudRequest, 'action' | 'subject' | 'key'> & Required<Pick<CloudRequest, 'codes'>>,
): ProviderError {
  const meaning = findMeaning(code, codes);
  const context = { action, origin: key?.origin ?? subject, host: 'sts.tencentcloudapi.com', skewMs: undefined };
  const advice = meaning?.advice(context) ?? 'what it means to every call';
  const message = `${action} of ${subject} failed (${code}): ${advice}`;
  return new ProviderError(meaning?.reason ?? 'CloudUnavailable', message, { requestId: 'ID-1' });
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
