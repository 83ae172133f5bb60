// A role that is assumed with another identity's key, in any cloud: what is held, under which name, and what is told of it.
import { ProviderError } from '../core/errors.ts';
import { shortDigest } from '../core/short-digest.ts';
import type { IdentitySession, ProviderWorld } from './provider.ts';

/** Name of our sessions in a cloud's audit log, where the environment names no other. */
export const SESSION_NAME = 'registry-credential-helper';

/** What is told of a key. */
export interface KeyStory {
  /** Where it comes from, for messages: `the Secret kube-system/tcr-api-key`. */
  readonly origin: string;
  /** Whose budget of requests it spends: equal for keys that share one. Holds no secret. */
  readonly account: string;
  /** Why this identity was chosen, where a choice was made; for people. */
  readonly choice?: string;
  /** Remarks for the person who configured it. No secrets. */
  readonly warnings?: readonly string[];
}

/** One hop, from a key to a session of a role. */
export interface AssumedSession<Key extends KeyStory, Session> {
  /** Of the session; what is held outlasts the base. */
  readonly name: string;
  readonly roleArn: string;
  /** Of the role. */
  readonly account: string;
  readonly fetchBase: () => Promise<Key>;
  /** What tells a lasting key from another one in its place; undefined = the base is a session itself. */
  readonly idOf: (base: Key) => string | undefined;
  /** What has to be known before the session is looked for; then how to ask for one. */
  readonly prepare: (base: Key) => Promise<(signal: AbortSignal) => Promise<IdentitySession<Session>>>;
}

/** The session and what is told of it. Throws ProviderError: of the base when nothing is held, else of the hop. */
export async function fetchAssumed<Key extends KeyStory, Session>(
  world: Pick<ProviderWorld, 'identity'>,
  hop: AssumedSession<Key, Session>,
  signal: AbortSignal,
): Promise<Session & KeyStory> {
  const { name, roleArn, account } = hop;
  const base = await hop.fetchBase().catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    return error;
  });
  // What was assumed with a session outlasts that one. With a lasting key nothing is held under this name: gone is gone.
  if (base instanceof ProviderError) return world.identity(name, () => Promise.reject(base), signal);
  // Before the session is looked for: another key in the same place means another session.
  const id = hop.idOf(base);
  const assume = await hop.prepare(base);
  const assumed = await world.identity<Session & KeyStory>(
    id === undefined ? name : `${name}/${shortDigest(id)}`,
    async (abort) => {
      const session = await assume(abort);
      // By whom it was assumed is told also when that one is gone.
      const { origin, choice } = base;
      const story = {
        origin: `${roleArn}, assumed by ${origin}`,
        account,
        ...(choice === undefined ? {} : { choice }),
      };
      return { ...session, value: { ...session.value, ...story } };
    },
    signal,
  );
  return base.warnings === undefined ? assumed : { ...assumed, warnings: base.warnings };
}
