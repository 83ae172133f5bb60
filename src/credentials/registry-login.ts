// One login at a registry, as clients of registries make it: asked without a credential the registry says where tokens are had, and
// there the credential is shown (https://distribution.github.io/distribution/spec/auth/token/). Always by TLS that is verified.
import { parseBearer } from '../core/challenge.ts';
import { isRecord, parseRecord } from '../core/records.ts';
import type { SeenLogin } from '../core/self-test.ts';
import type { Credential } from '../core/types.ts';

/** How it came out. */
export type LoginOutcome = Exclude<SeenLogin['outcome'], { readonly kind: 'skipped' }>;

/** How long each of two requests may take, milliseconds. */
const TIMEOUT_MS = 10_000;
/** More is no token. */
const MAX_BYTES = 262_144;

const REACH = 'see whether Pods reach it: DNS, proxy, firewall, and the certificate that it shows';
const RENEW =
  'see the Events of the ConfigMap: they name what is wrong with the credential; else correct what is configured';

/** Tries it; never throws but for `signal`. What it says holds no secret. */
export async function tryLogin(
  address: string,
  { username, password }: Pick<Credential, 'username' | 'password'>,
  signal: AbortSignal,
): Promise<LoginOutcome> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const url = `https://${address}/v2/`;
  try {
    const asked = await get(url, {}, signal);
    if (asked.status === 200) return { kind: 'accepted', how: 'open' };
    if (asked.status !== 401) {
      const why = `It answers ${asked.status} where a registry asks for a login`;
      return failed(why, REACH, isPassing(asked.status));
    }
    const bearer = parseBearer(asked.challenge);
    if (bearer === undefined) {
      if (!/^\s*Basic\b/i.test(asked.challenge)) return failed('It does not say how to log in', REACH);
      const { status } = await get(url, { authorization }, signal);
      return status === 200 ? { kind: 'accepted', how: 'basic' } : refused('It', status);
    }
    const realm = realmOf(bearer, username);
    if (realm === undefined) return failed('It sends clients for tokens to an address without TLS, or to none', REACH);
    const { status, text } = await get(realm, { authorization }, signal);
    if (status !== 200) return refused(`Its token service ${new URL(realm).host}`, status);
    return hasToken(text) ? { kind: 'accepted', how: 'token' } : failed('Its token service gives no token', REACH);
  } catch (error) {
    signal.throwIfAborted();
    return failed(`It cannot be reached (${causeOf(error)})`, REACH, true);
  }
}

async function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly challenge: string; readonly text: string }> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  // Whom a redirect leads to is not whom the credential is for.
  const answer = await fetch(url, {
    headers: { accept: 'application/json', ...headers },
    redirect: 'manual',
    signal: deadline,
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BYTES) break;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '', text };
}

/** undefined = a credential must not be sent there. */
function realmOf(
  { realm, service }: { readonly realm: string; readonly service: string },
  username: string,
): string | undefined {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  if (service !== '') url.searchParams.set('service', service);
  url.searchParams.set('account', username);
  return url.href;
}

function hasToken(text: string): boolean {
  const answer = parseRecord(text);
  return isRecord(answer) && [answer.token, answer.access_token].some((one) => typeof one === 'string' && one !== '');
}

function refused(who: string, status: number): LoginOutcome {
  const isRefused = status === 401 || status === 403;
  const why = `${who} ${isRefused ? 'refuses the credential' : 'answers'} (${status})`;
  return failed(why, isRefused ? RENEW : REACH, isPassing(status));
}

function failed(why: string, cure: string, mayPass = false): LoginOutcome {
  return { kind: 'failed', why, cure, mayPass };
}

/** What a server says that is not well, or has too much to do. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

function causeOf(error: unknown): string {
  const { code, cause, name } = (error ?? {}) as { code?: unknown; cause?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  if (cause !== undefined) return causeOf(cause);
  return name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1_000} s` : 'broken answer';
}
