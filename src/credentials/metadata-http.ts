// Calls of metadata services: plain HTTP inside the node's own network, never through a proxy, of bounded size.
import { Agent, request } from 'node:http';
import { ProviderError } from '../core/errors.ts';
import type { MetadataAnswer, MetadataRequest } from '../providers/provider.ts';

/** More is no metadata. */
const MAX_BYTES = 65_536;

/** An agent of our own: the global one may be told of a proxy by the environment. */
const agent = new Agent({ keepAlive: false });

/** Makes one call. Throws ProviderError `CloudUnavailable` that names address and cause. */
export function callMetadata(wish: MetadataRequest, signal: AbortSignal): Promise<MetadataAnswer> {
  const { method, url, headers = {}, timeoutMs } = wish;
  const { host } = new URL(url);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(unreachable(host, error, deadline.aborted));
    const call = request(url, { method, headers, agent, signal: deadline }, (answer) => {
      readBounded(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), fail);
    });
    call.on('error', fail);
    call.end();
  });
}

async function readBounded(answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES).toString('utf8');
}

function unreachable(host: string, error: unknown, timedOut: boolean): ProviderError {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const why = timedOut ? 'no answer in time' : typeof code === 'string' ? code : 'broken answer';
  return new ProviderError('CloudUnavailable', `no metadata service answers at ${host} (${why})`);
}
