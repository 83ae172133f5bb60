// The identity of a node: the CAM role that is bound to its CVM, whose sessions the metadata service gives (tcr.md section 14).
import { ProviderError } from '../../core/errors.ts';
import { parseRecord } from '../../core/records.ts';
import { AbsentIdentity } from '../first-identity.ts';
import { askMetadata, isLongSilent } from '../metadata-silence.ts';
import type { IdentitySession, MetadataAnswer, ProviderWorld } from '../provider.ts';
import type { TencentIdentity } from './identity.ts';
import { expiryOf, type SessionKey } from './sts.ts';

type World = Pick<ProviderWorld, 'now' | 'identity' | 'http' | 'endpoints'>;

/** The metadata service of every CVM; `tencent.metadata` of the endpoints wins. */
const METADATA_URL = 'http://metadata.tencentyun.com';

const ROLES_PATH = '/latest/meta-data/cam/security-credentials/';

/** A node answers within milliseconds; elsewhere nothing ever does. */
const TIMEOUT_MS = 1_000;

/** Builds the identity of the node's role. */
export function createCvmRoleIdentity(): TencentIdentity {
  return {
    key: 'cvm-role',
    async fetchKey(world, _place, signal) {
      const fetch = (abort: AbortSignal): ReturnType<typeof fetchRoleSession> => fetchRoleSession(world, abort);
      const { roleName, ...key } = await world.identity('tencent/cvm-role', fetch, signal);
      return { ...key, origin: `the CAM role ${roleName} of the node`, account: 'cvm-role' };
    },
  };
}

/** A session of the node's role. Throws ProviderError that says why there is none. */
async function fetchRoleSession(
  world: World,
  signal: AbortSignal,
): Promise<IdentitySession<SessionKey & { readonly roleName: string }>> {
  const roleName = await readRoleName(world, signal);
  const path = `${ROLES_PATH}${encodeURIComponent(roleName)}`;
  const issuedAt = world.now();
  const answer = await get(world, path, signal);
  if (answer.status === 404) {
    throw new AbsentIdentity(`the metadata service knows no CAM role ${roleName} on this node (404 at ${path})`, {
      isHalf: false,
    });
  }
  const document = parseRecord(answer.text) ?? {};
  const { TmpSecretId: secretId, TmpSecretKey: secretKey, Token: token, Code: code } = document;
  const role = `the CAM role ${roleName} (${path})`;
  if (code !== 'Success') throw notUsable(`the metadata service gave no session of ${role}: its Code is ${word(code)}`);
  if (!isText(secretId) || !isText(secretKey) || !isText(token)) {
    throw notUsable(`the metadata service gave no usable session of ${role}`);
  }
  const expiresAt = expiryOf(document, issuedAt);
  if (expiresAt === undefined) throw notUsable(`the session of ${role} has no readable ExpiredTime`);
  if (expiresAt <= issuedAt) {
    throw notUsable(
      `the session of ${role} ended at ${new Date(expiresAt).toISOString()} already, by the clock here: check the time of the node`,
    );
  }
  return { value: { roleName, secretId, secretKey, token }, issuedAt, expiresAt, secrets: [secretKey, token] };
}

async function readRoleName(world: World, signal: AbortSignal): Promise<string> {
  const answer = await get(world, ROLES_PATH, signal);
  if (answer.status === 404) {
    throw new AbsentIdentity(
      `there is no CAM role on this node (404 at ${ROLES_PATH}): bind one to the CVM, or use another identity`,
      { isHalf: false },
    );
  }
  const name = answer.text.trim().split('\n')[0]?.trim() ?? '';
  if (!/^[\w+=,.@-]{1,128}$/.test(name)) {
    throw notUsable(`the metadata service names no usable CAM role at ${ROLES_PATH}`);
  }
  return name;
}

/** An answer of status 200 or 404. */
async function get(world: World, path: string, signal: AbortSignal): Promise<MetadataAnswer> {
  const url = `${world.endpoints.tencent?.metadata?.url ?? METADATA_URL}${path}`;
  const request = { method: 'GET', url, timeoutMs: TIMEOUT_MS } as const;
  const answer = await askMetadata(world, 'tencent', request, signal).catch(async (error: unknown) => {
    if (!(error instanceof ProviderError) || !(await isLongSilent(world, 'tencent', signal))) throw error;
    // There is nothing to wait for.
    throw new AbsentIdentity(`${error.message}: this is no node of Tencent Cloud, or the service is blocked here`, {
      isHalf: false,
    });
  });
  if (answer.status === 200 || answer.status === 404) return answer;
  if (answer.status === 429) {
    throw new ProviderError('Throttled', 'the metadata service asks to slow down; it will be asked again');
  }
  throw notUsable(`the metadata service answered HTTP ${answer.status} at ${path}`);
}

function notUsable(message: string): ProviderError {
  return new ProviderError('CloudUnavailable', `${message}; it will be asked again`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Text from outside goes into messages: short, on one line. */
function word(value: unknown): string {
  return isText(value) ? value.replace(/[^\w.-]/g, '?').slice(0, 64) : 'missing';
}
