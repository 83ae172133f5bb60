// What a node of Alibaba Cloud knows of itself: region and the sessions of its RAM role, from the metadata service (acr.md
// section 17). Version 2 (with a token) first; where that is not served, version 1.
import { ProviderError } from '../../core/errors.ts';
import { parseRecord } from '../../core/records.ts';
import type { EpochMs } from '../../core/types.ts';
import { askMetadata, isLongSilent } from '../metadata-silence.ts';
import type { IdentitySession, MetadataAnswer, ProviderWorld } from '../provider.ts';
import { METADATA_URL } from './endpoints.ts';

type World = Pick<ProviderWorld, 'now' | 'identity' | 'replace' | 'http' | 'env' | 'endpoints'>;

/** A session of the node's role. */
export interface RoleSession {
  readonly roleName: string;
  readonly accessKeyId: string;
  /** Secret. */
  readonly accessKeySecret: string;
  /** Secret. */
  readonly securityToken: string;
}

const TOKEN_PATH = '/latest/api/token';
const REGION_PATH = '/latest/meta-data/region-id';
const ROLES_PATH = '/latest/meta-data/ram/security-credentials/';
const TOKEN_TTL_SECONDS = 21_600;

/** A node answers within milliseconds; elsewhere nothing ever does. */
const TIMEOUT_MS = 1_000;

/** How long it is remembered that a service is not there, or gives no tokens, milliseconds. */
const ABSENT_KEPT_MS = 300_000;

/** How long what may pass in a moment is remembered, milliseconds. */
const BLIP_KEPT_MS = 5_000;

/** What is known of where we are. */
export type LocalRegion =
  | { readonly kind: 'known'; readonly region: string }
  /** There is no metadata service here. */
  | { readonly kind: 'none'; readonly error: ProviderError }
  /** It has not answered yet, or not well: that may pass. */
  | { readonly kind: 'unknown'; readonly error: ProviderError };

/** The region of the node. What was known once stays known. */
export function readLocalRegion(world: World, signal: AbortSignal): Promise<LocalRegion> {
  return world.identity(
    'alibaba/metadata/region',
    async (abort) => {
      const issuedAt = world.now();
      const value = await askForRegion(world, abort);
      const keptMs = value.kind === 'none' ? ABSENT_KEPT_MS : BLIP_KEPT_MS;
      const expiresAt = value.kind === 'known' ? undefined : issuedAt + keptMs;
      return { value, issuedAt, expiresAt, secrets: [] };
    },
    signal,
  );
}

async function askForRegion(world: World, signal: AbortSignal): Promise<LocalRegion> {
  try {
    const answer = await get(world, REGION_PATH, signal);
    if (answer.status === 404) return { kind: 'none', error: unavailable('the metadata service tells no region') };
    const region = expectOk(answer).text.trim();
    if (/^[a-z0-9-]{2,40}$/.test(region)) return { kind: 'known', region };
    return { kind: 'unknown', error: notUsable('the metadata service tells no usable region') };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.reason === 'IdentityUnavailable') return { kind: 'none', error };
    const isSilence = error.reason === 'CloudUnavailable' && error.message.startsWith('no metadata service answers');
    const isLong = isSilence && (await isLongSilent(world, 'alibaba', signal));
    return { kind: isLong ? 'none' : 'unknown', error };
  }
}

/** A session of the node's role. Throws ProviderError that says why there is none. */
export async function fetchRoleSession(world: World, signal: AbortSignal): Promise<IdentitySession<RoleSession>> {
  const roleName = world.env.ALIBABA_CLOUD_ECS_METADATA ?? (await readRoleName(world, signal));
  const issuedAt = world.now();
  const answer = await get(world, `${ROLES_PATH}${encodeURIComponent(roleName)}`, signal);
  if (answer.status === 404) {
    throw unavailable(`the metadata service knows no RAM role ${roleName.slice(0, 64)} on this node`);
  }
  const document = parseRecord(expectOk(answer).text) ?? {};
  const { AccessKeyId, AccessKeySecret, SecurityToken, Expiration, Code } = document;
  const expiresAt = typeof Expiration === 'string' ? Date.parse(Expiration) : Number.NaN;
  if (Code !== 'Success' || !isText(AccessKeyId) || !isText(AccessKeySecret) || !isText(SecurityToken)) {
    throw notUsable(`the metadata service gave no usable session of the RAM role ${roleName}`);
  }
  if (Number.isNaN(expiresAt)) throw notUsable(`the session of the RAM role ${roleName} has no readable Expiration`);
  return {
    value: { roleName, accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, securityToken: SecurityToken },
    issuedAt,
    expiresAt,
    secrets: [AccessKeySecret, SecurityToken],
  };
}

async function readRoleName(world: World, signal: AbortSignal): Promise<string> {
  const answer = await get(world, ROLES_PATH, signal);
  if (answer.status === 404) {
    throw unavailable(
      'there is no RAM role on this node: give the node pool a worker RAM role, or use another identity',
    );
  }
  const name = expectOk(answer).text.trim().split('\n')[0]?.trim() ?? '';
  if (!/^[\w.@-]{1,64}$/.test(name)) throw notUsable('the metadata service names no usable RAM role');
  return name;
}

/** With a token where one is given; a token that is refused is replaced once. */
async function get(world: World, path: string, signal: AbortSignal): Promise<MetadataAnswer> {
  if (world.env.ALIBABA_CLOUD_ECS_METADATA_DISABLED?.toLowerCase() === 'true') {
    throw unavailable('the metadata service is switched off (ALIBABA_CLOUD_ECS_METADATA_DISABLED)');
  }
  const url = `${baseOf(world)}${path}`;
  const token = await readToken(world, signal);
  const ask = (headers: Readonly<Record<string, string>>): Promise<MetadataAnswer> =>
    askMetadata(world, 'alibaba', { method: 'GET', url, headers, timeoutMs: TIMEOUT_MS }, signal);
  if (typeof token !== 'string') {
    const bare = await ask({});
    // A hardened node may hide everything from who has no token: that says nothing of what is there.
    if (bare.status === 404 && !token.isSure)
      throw notUsable('the metadata service gave no token and hides what is asked for');
    return bare;
  }
  const answer = await ask({ 'x-aliyun-ecs-metadata-token': token });
  if (answer.status !== 401 && answer.status !== 403) return answer;
  const next = await replaceToken(world, token, signal);
  return next === token || typeof next !== 'string' ? answer : ask({ 'x-aliyun-ecs-metadata-token': next });
}

/** A token, or that version 1 may be asked since there is none: surely, as the service says that it knows none, or for the moment. */
type MetadataToken = string | { readonly isSure: boolean };

const TOKEN = 'alibaba/metadata/token';

function readToken(world: World, signal: AbortSignal): Promise<MetadataToken> {
  return world.identity<MetadataToken>(
    TOKEN,
    async (abort) => {
      const issuedAt = world.now();
      const token = await fetchToken(world, abort);
      if (typeof token === 'string') return tokenSession(token, issuedAt);
      const keptMs = token.isSure ? ABSENT_KEPT_MS : BLIP_KEPT_MS;
      return { value: token, issuedAt, expiresAt: issuedAt + keptMs, secrets: [] };
    },
    signal,
  );
}

/** A new one for `token`, which the service has forgotten; that stays where the service gives no other. */
function replaceToken(world: World, token: string, signal: AbortSignal): Promise<MetadataToken> {
  return world.replace<MetadataToken>(
    TOKEN,
    token,
    async (abort) => {
      const issuedAt = world.now();
      const next = await fetchToken(world, abort);
      if (typeof next !== 'string') throw notUsable('the metadata service gave no token');
      return tokenSession(next, issuedAt);
    },
    signal,
  );
}

function tokenSession(token: string, issuedAt: EpochMs): IdentitySession<MetadataToken> {
  return { value: token, issuedAt, expiresAt: issuedAt + TOKEN_TTL_SECONDS * 1_000, secrets: [token] };
}

async function fetchToken(world: World, signal: AbortSignal): Promise<MetadataToken> {
  const onlyV2 = world.env.ALIBABA_CLOUD_IMDSV1_DISABLED?.toLowerCase() === 'true';
  const headers = { 'x-aliyun-ecs-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) };
  const url = `${baseOf(world)}${TOKEN_PATH}`;
  const request = { method: 'PUT', url, headers, timeoutMs: TIMEOUT_MS } as const;
  const answer = await askMetadata(world, 'alibaba', request, signal).catch((error: unknown) => {
    if (onlyV2) throw error;
  });
  const token = answer?.text.trim() ?? '';
  if (answer?.status === 200 && /^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  if (answer?.status === 429) expectOk(answer);
  if (!onlyV2) return { isSure: answer !== undefined && [400, 404, 405].includes(answer.status) };
  throw unavailable(
    `the metadata service gave no token (HTTP ${answer?.status}), and version 1 is switched off (ALIBABA_CLOUD_IMDSV1_DISABLED)`,
  );
}

function expectOk(answer: MetadataAnswer): MetadataAnswer {
  if (answer.status === 200) return answer;
  if (answer.status === 429) {
    throw new ProviderError('Throttled', 'the metadata service asks to slow down; it will be asked again');
  }
  if (answer.status === 401 || answer.status === 403) {
    throw notUsable(
      `the metadata service refuses calls without a token of its own (HTTP ${answer.status}), and gave none`,
    );
  }
  throw notUsable(`the metadata service answered HTTP ${answer.status}`);
}

function baseOf({ endpoints }: World): string {
  return endpoints.alibaba?.metadata?.url ?? METADATA_URL;
}

function unavailable(message: string): ProviderError {
  return new ProviderError('IdentityUnavailable', message);
}

function notUsable(message: string): ProviderError {
  return new ProviderError('CloudUnavailable', `${message}; it will be asked again`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
