// The few plain HTTPS calls that the control plane itself and its tests make, without a Kubernetes client.
import { Agent, request } from 'undici';

/** One call of the API. */
export interface ApiRequest {
  /** Whose token to use; nobody's when absent. */
  readonly token?: string | undefined;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` unless told; a patch needs its own. */
  readonly contentType?: string;
}

/** The answer: parsed when it is one JSON value, else text, as for a watch. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Makes calls over few kept-alive connections. */
export interface ApiClient {
  request(call: ApiRequest): Promise<ApiAnswer>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 15_000;

/** @param ca - PEM to trust; without it every certificate is, as before the server has made its own */
export function createApiClient(url: string, ca?: string): ApiClient {
  const agent = new Agent({
    allowH2: false,
    connections: 16,
    connect: ca === undefined ? { rejectUnauthorized: false } : { ca },
  });
  return {
    request: async ({ token, method = 'GET', path, body, contentType = 'application/json' }) => {
      const answer = await request(new URL(path, url), {
        method,
        dispatcher: agent,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const content = await answer.body.text();
      return { status: answer.statusCode, body: parseJson(content) };
    },
    close: () => agent.destroy(),
  };
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content) as unknown;
  } catch {
    return content;
  }
}
