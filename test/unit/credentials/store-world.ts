// A credential store in a world of its own: a clock that only tests move, one provider that does as told, Secrets in a map.
import { setImmediate } from 'node:timers/promises';
import {
  CredentialStore,
  type CredentialAttempt,
  type CredentialOutcome,
  type CredentialStoreOptions,
} from '../../../src/credentials/store.ts';
import type {
  Credential,
  CredentialAnswer,
  CredentialRequest,
  EpochMs,
  SecretReference,
} from '../../../src/core/types.ts';
import { emptyStoreWorld } from '../../support/provider-world.ts';
import type { ProviderWorld, RegistryProvider } from '../../../src/providers/provider.ts';

export const START = Date.parse('2026-01-02T03:04:05Z');
export const SECRET: SecretReference = { namespace: 'kube-system', name: 'keys' };

/** What the provider does in one attempt. */
export type Fetch = (world: ProviderWorld, signal: AbortSignal) => Promise<Credential>;

export interface StoreHarness {
  readonly store: CredentialStore;
  /** What the store was built with, for another one in the same world. */
  readonly options: CredentialStoreOptions;
  /** Every attempt, by cache key. */
  readonly calls: string[];
  readonly outcomes: CredentialOutcome[];
  readonly attempts: CredentialAttempt[];
  readonly settled: string[];
  readonly changes: () => number;
  readonly registered: Map<string, readonly string[]>;
  /** Keys of what is in no use any more. */
  readonly forgotten: readonly string[];
  readonly secrets: Map<string, Readonly<Record<string, string>>>;
  readonly now: () => EpochMs;
  /** From now on the provider does this. */
  fetch: Fetch;
  /** Moves the clock, lets what waits for it go on, and lets everything come to rest. */
  advance(ms: number): Promise<void>;
  /** One answer; `newerThan` as in the store. */
  ask(newerThan?: EpochMs, cacheKey?: string): Promise<CredentialAnswer>;
  /** As `ask`, but goes on with the test when everything rests; `answer` is there then, or not. */
  askLater(newerThan?: EpochMs, cacheKey?: string): Promise<{ readonly answer: () => CredentialAnswer | undefined }>;
}

export function request(cacheKey = 'fake/a'): CredentialRequest {
  return { provider: 'fake', target: { cacheKey }, cacheKey, hosts: ['registry.example'] };
}

/** A provider that reads the Secret and then gives a credential that lives so long; undefined = for ever. */
export function granting(lifeMs: number | undefined, password = 'fake-password'): Fetch {
  return async (world, signal) => {
    const issuedAt = world.now();
    await world.readSecret(SECRET, signal);
    const expiresAt = lifeMs === undefined ? undefined : issuedAt + lifeMs;
    return { username: 'robot', password, issuedAt, expiresAt };
  };
}

/** A provider that reads the Secret and then fails. */
export function failing(error: unknown): Fetch {
  return async (world, signal) => {
    await world.readSecret(SECRET, signal);
    throw error;
  };
}

/** A provider that waits for `release`. */
export function holding(fetch: Fetch): { readonly fetch: Fetch; readonly release: () => void } {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    fetch: async (world, signal) => {
      const credential = fetch(world, signal);
      credential.catch(() => undefined);
      await released;
      return credential;
    },
    release,
  };
}

export function createStoreHarness(options: Partial<CredentialStoreOptions> = {}): StoreHarness {
  let now = START;
  let timers: { readonly at: EpochMs; readonly resolve: () => void }[] = [];
  let changes = 0;
  const calls: string[] = [];
  const outcomes: CredentialOutcome[] = [];
  const attempts: CredentialAttempt[] = [];
  const settled: string[] = [];
  const registered = new Map<string, readonly string[]>();
  const forgotten: string[] = [];
  const secrets = new Map<string, Readonly<Record<string, string>>>([
    [nameOf(SECRET), { 'access-key-id': 'fake-id', 'access-key-secret': 'fake-key-secret' }],
  ]);
  const provider: RegistryProvider<unknown> = {
    name: 'fake',
    parseTarget: (input) => ({ ok: true, value: input, issues: [] }),
    registryHosts: () => undefined,
    cacheKey: (target) => (target as { cacheKey: string }).cacheKey,
    secretUse: () => undefined,
    fetchCredential: (target, world, signal) => {
      calls.push(provider.cacheKey(target));
      return harness.fetch(world, signal);
    },
    mints: () => false,
    revocationTarget: (target) => target,
    revokeCredentials: () => Promise.resolve([]),
  };
  const storeOptions: CredentialStoreOptions = {
    providers: new Map([['fake', provider]]),
    world: emptyStoreWorld({
      now: () => now,
      readSecret: (reference) => {
        const data = secrets.get(nameOf(reference));
        return Promise.resolve(data === undefined ? undefined : { data, digest: JSON.stringify(data) });
      },
    }),
    thresholdMs: () => 15 * 60_000,
    register: (key, values) => void registered.set(key, values),
    forget: (key) => void forgotten.push(key),
    onChanged: () => void (changes += 1),
    onSettled: (cacheKey) => void settled.push(cacheKey),
    onOutcome: (outcome) => void outcomes.push(outcome),
    onAttempt: (attempt) => void attempts.push(attempt),
    random: () => 0.5,
    delay: (ms, signal) =>
      new Promise<void>((resolve) => {
        timers.push({ at: now + ms, resolve });
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    ...options,
  };
  const store = new CredentialStore(storeOptions);
  const harness: StoreHarness = {
    store,
    options: storeOptions,
    calls,
    outcomes,
    attempts,
    settled,
    changes: () => changes,
    registered,
    forgotten,
    secrets,
    now: () => now,
    fetch: granting(3_600_000),
    async advance(ms) {
      now += ms;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.resolve();
      await setImmediate();
    },
    async ask(newerThan, cacheKey) {
      const wanted = { request: request(cacheKey), newerThan };
      const answers = await store.resolve([wanted]);
      const answer = answers.get(wanted.request.cacheKey);
      if (answer === undefined) throw new Error('no answer');
      return answer;
    },
    async askLater(newerThan, cacheKey) {
      let answer: CredentialAnswer | undefined;
      void harness.ask(newerThan, cacheKey).then((given) => (answer = given));
      await setImmediate();
      return { answer: () => answer };
    },
  };
  return harness;
}

function nameOf({ namespace, name }: SecretReference): string {
  return `${namespace}/${name}`;
}
