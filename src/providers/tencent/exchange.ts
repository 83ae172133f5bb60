// One request to Tencent Cloud and its whole answer. The SDK's own transport throws bodies and headers of failures away, waits for
// the rest of a truncated answer and connects only to the host that it signs; so this is our own.
import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import type { RawAnswer } from '../call-failure.ts';
import type { ResolvedEndpoint } from '../resolved-endpoint.ts';

/** What is sent. */
export interface Sending {
  readonly endpoint: ResolvedEndpoint;
  /** Besides `Host` and those of the transport. Secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Secret. */
  readonly body: Buffer;
}

/** What came of it. */
export type Exchanged =
  | { readonly kind: 'answered'; readonly answer: RawAnswer }
  /** `how` goes on after the address: `could not be reached (ECONNREFUSED)`. */
  | { readonly kind: 'broken'; readonly how: string };

/** Largest answer, packed or not, bytes. */
const MAX_ANSWER_BYTES = 1_048_576;

const unpackers: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  gzip: (body) => promisify(gunzip)(body, { maxOutputLength: MAX_ANSWER_BYTES }),
  // Some servers leave the header out that the standard asks for.
  deflate: (body) =>
    ((body[0] ?? 0) & 0x0f) === 8
      ? promisify(inflate)(body, { maxOutputLength: MAX_ANSWER_BYTES })
      : promisify(inflateRaw)(body, { maxOutputLength: MAX_ANSWER_BYTES }),
};

/** Sends it once, on a connection of its own: one that was kept could break with a request that must not be made twice. */
export async function exchange(sending: Sending, signal: AbortSignal): Promise<Exchanged> {
  let response: IncomingMessage;
  try {
    response = await send(sending, signal);
  } catch (error) {
    return { kind: 'broken', how: `could not be reached (${codeOf(error)})` };
  }
  const body = await readBody(response);
  if (body.kind === 'broken') return body;
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  return { kind: 'answered', answer: { status: response.statusCode ?? 0, headers, body: body.text } };
}

function send({ endpoint, headers, body }: Sending, signal: AbortSignal): Promise<IncomingMessage> {
  const { scheme, address, host, ca } = endpoint;
  const { hostname, port } = new URL(`${scheme}://${address}`);
  const name = new URL(`${scheme}://${host}`).hostname;
  const options = {
    ...{ method: 'POST', path: '/', agent: false, signal },
    ...{ hostname: hostname.replace(/^\[(.*)\]$/, '$1'), ...(port === '' ? {} : { port }) },
    headers: { ...headers, Host: host, 'Content-Length': String(body.length), 'Accept-Encoding': 'gzip, deflate' },
  };
  const secure = { ...(ca === undefined ? {} : { ca }), ...(isIP(name) === 0 ? { servername: name } : {}) };
  return new Promise((resolve, reject) => {
    const request = scheme === 'https' ? requestHttps({ ...options, ...secure }) : requestHttp(options);
    request.once('response', resolve).once('error', reject).end(body);
  });
}

async function readBody(
  response: IncomingMessage,
): Promise<{ readonly kind: 'read'; readonly text: string } | Extract<Exchanged, { kind: 'broken' }>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) return { kind: 'broken', how: 'gave an answer of more than 1 MiB' };
      chunks.push(chunk);
    }
  } catch (error) {
    return { kind: 'broken', how: `broke its answer off (${codeOf(error)})` };
  }
  const encoding = (response.headers['content-encoding'] ?? '').trim().toLowerCase();
  const unpack = unpackers[encoding === 'x-gzip' ? 'gzip' : encoding];
  try {
    const whole = Buffer.concat(chunks);
    return { kind: 'read', text: (unpack === undefined ? whole : await unpack(whole)).toString('utf8') };
  } catch (error) {
    return { kind: 'broken', how: `gave an answer that cannot be unpacked (${codeOf(error)})` };
  }
}

/** Messages may quote what was sent: only the code goes on. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : 'no code';
}
