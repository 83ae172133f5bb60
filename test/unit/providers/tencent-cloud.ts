// Tencent Cloud as unit tests have it: answers by action, requests recorded, no socket.
import { malformed } from '../../../src/providers/call-failure.ts';
import type { CloudRequest, TencentClient } from '../../../src/providers/tencent/cloud-request.ts';
import type { ProviderError } from '../../../src/core/errors.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What an action answers: what stands under `Response`, or how it fails. */
export type Answer = Fields | ProviderError | ((request: CloudRequest) => Fields | ProviderError);

/** A client whose answers are those of a table. */
export function fakeClient(
  answers: Readonly<Record<string, Answer>>,
  options: { readonly clockOffsetMs?: number } = {},
) {
  const requests: CloudRequest[] = [];
  const client: TencentClient = {
    call(request, signal) {
      if (signal.aborted) return Promise.reject(new Error('aborted'));
      requests.push(request);
      const { action, subject } = request;
      const told = answers[action];
      const answer = typeof told === 'function' ? told(request) : told;
      if (answer === undefined) return Promise.reject(new Error(`no answer to ${action}`));
      if (answer instanceof Error) return Promise.reject(answer);
      const endpoint = { scheme: 'https', address: 'tcr.example', host: 'tcr.example', ca: undefined } as const;
      const context = { action, subject, endpoint, origin: 'a test', now: request.now() };
      return Promise.resolve({
        response: { RequestId: '0f0f0f0f-1111-4222-8333-444444444444', ...answer },
        malformed: (field) => malformed(context, answer, field),
        ...options,
      });
    },
  };
  const actions = (): readonly string[] => requests.map(({ action }) => action);
  const parametersOf = (action: string): readonly Fields[] =>
    requests.filter((request) => request.action === action).map(({ parameters }) => parameters);
  return { client, requests, actions, parametersOf };
}

/** A token that ends at `expiresAt`. */
export function fakeToken(expiresAt: number): string {
  return `${part({ alg: 'RS256' })}.${part({ exp: expiresAt / 1_000, iat: expiresAt / 1_000 - 3_600 })}.fake`;
}

function part(claims: Fields): string {
  return Buffer.from(JSON.stringify(claims)).toString('base64url');
}
