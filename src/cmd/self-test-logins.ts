// What `self-test` tries at registries. A login may be counted there, and many that are refused may lock an account: each is made once.
import type { Finding } from '../core/doctor.ts';
import { unknownHosts, wantedLogins, type WantedLogin } from '../core/logins.ts';
import { stateSecretName } from '../core/names.ts';
import { loginFinding, type SeenLogin, type Tried } from '../core/self-test.ts';
import type { Config, Credential } from '../core/types.ts';
import { readState } from '../controller/state.ts';
import { tryLogin } from '../credentials/registry-login.ts';
import { parseSnapshot } from '../credentials/snapshot.ts';
import { createLimiter } from '../kube/limiter.ts';
import { createStateSecret } from '../kube/state-secret.ts';
import type { Look } from './looking.ts';
import type { SelfTestScene, Trial } from './self-test-trials.ts';

/** What the attempts are made with. */
export interface LoginScene {
  readonly config: Pick<Config, 'rules'>;
  /** By the keys of their requests. */
  readonly readHeld: () => Promise<ReadonlyMap<string, Credential>>;
  readonly logIn: (
    address: string,
    credential: Pick<Credential, 'username' | 'password'>,
  ) => Promise<SeenLogin['outcome']>;
}

/** A login that is not made again with the same credential. */
interface Settled {
  readonly credential: Pick<Credential, 'username' | 'password'>;
  readonly seen: SeenLogin;
}

/** Logins under way at a time, and most of all. */
const CONCURRENT_LOGINS = 4;
const MAX_LOGINS = 100;

const NONE_HELD: SeenLogin['outcome'] = {
  kind: 'failed',
  why: 'The master copy holds no credential for it that is valid',
  cure: 'see the Events of the ConfigMap, or of the resource: they name why there is none',
  mayPass: true,
};

/** One login at each host that is configured, with what the master copy holds; further attempts repeat only what may pass. */
export function loginTrial({ look, rules, signal }: SelfTestScene): Trial {
  if (!look.settings.selfTest.registries) return () => skipped('it is not asked for with --registries');
  if (rules.config === undefined) return () => skipped('what is configured is not known');
  return createLoginTrial({
    config: rules.config,
    readHeld: () => heldCredentials(look, signal),
    logIn: (address, credential) => tryLogin(address, credential, signal),
  });
}

/** The same, of whatever world. */
export function createLoginTrial({ config, readHeld, logIn }: LoginScene): Trial {
  const settled = new Map<string, Settled>();
  const lane = createLimiter(CONCURRENT_LOGINS);

  const seeLogin = async ({ host, address, credential }: WantedLogin): Promise<SeenLogin> => {
    if (credential === undefined) return { host, outcome: NONE_HELD };
    if (address === undefined) return { host, outcome: { kind: 'skipped', why: 'it is a pattern for many hosts' } };
    const before = settled.get(host);
    if (before !== undefined && isSame(before.credential, credential)) return before.seen;
    const seen = { host, outcome: await logIn(address, credential) };
    if (!mayPass(seen)) settled.set(host, { credential, seen });
    return seen;
  };

  return async () => {
    const held = await readHeld();
    const wanted = wantedLogins(config, held);
    const unknown = unknownHosts(config, held);
    if (wanted.length === 0 && unknown.length === 0) return skipped('none is configured');
    const tried = wanted.slice(0, MAX_LOGINS);
    const seen: readonly SeenLogin[] = [
      ...(await Promise.all(tried.map((login) => lane.run('normal', () => seeLogin(login))))),
      ...unknown.map((key) => ({ host: `of ${key}`, outcome: NONE_HELD })),
    ];
    const more = wanted.length - tried.length;
    const left = more === 0 ? [] : [notTried(`${more} more than ${MAX_LOGINS}`)];
    return { findings: [...seen.map(loginFinding), ...left], mayPass: seen.some(mayPass) };
  };
}

function mayPass({ outcome }: SeenLogin): boolean {
  return outcome.kind === 'failed' && outcome.mayPass;
}

function isSame(a: Settled['credential'], b: Settled['credential']): boolean {
  return a.username === b.username && a.password === b.password;
}

function skipped(why: string): Promise<Tried> {
  return Promise.resolve({ findings: [notTried(why)], mayPass: false });
}

function notTried(why: string): Finding {
  return { level: 'SKIP', subject: 'registries', sentences: [`Not tried: ${why}.`] };
}

async function heldCredentials(
  { connection, settings, now }: Look,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Credential>> {
  const { client, namespace, secrets } = connection;
  const { instance } = settings;
  const place = { namespace, name: stateSecretName(instance), instance };
  const { credentials } = await readState(createStateSecret(client, place), signal);
  const stored = credentials === undefined ? [] : parseSnapshot(credentials, now).stored;
  for (const { cacheKey, credential } of stored) secrets.register(cacheKey, [credential.password]);
  return new Map(stored.map(({ cacheKey, credential }) => [cacheKey, credential]));
}
