// One attempt to obtain a credential: the provider's world, what it reads, its deadline, and what came of it.
import { isSessionExpired, KubeError, ProviderError } from '../core/errors.ts';
import { isValid } from '../core/refresh.ts';
import { placeOf } from '../core/resource-source.ts';
import type { Credential, CredentialRequest, SecretReference } from '../core/types.ts';
import type { ProviderWorld, RegistryProvider } from '../providers/provider.ts';
import type { Flight } from './entry.ts';
import type { Asker, Identities } from './identities.ts';
import { ABSENT } from './snapshot.ts';
import type { CredentialStoreOptions, SourceRead } from './store-options.ts';

/** What an attempt works with. */
export interface AttemptContext extends Pick<CredentialStoreOptions, 'world' | 'register'> {
  /** undefined = there is none of that name. */
  readonly provider: RegistryProvider<unknown> | undefined;
  readonly request: CredentialRequest;
  readonly flight: Pick<Flight, 'reads' | 'abort'>;
  readonly identities: Pick<Identities, 'get' | 'replace' | 'refuse'>;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly timeoutMs: number;
}

/** Names of a Secret's keys whose values are no secrets but words, which masking would tear out of every line. */
const NO_SECRET = /user-?_?name|^email$|^server$|^registry$/i;

/**
 * Asks the provider, a second time at once, with new sessions, when one had expired. The password is registered for redaction before it is
 * returned. Throws ProviderError; anything else that was thrown is a bug and comes out as it is.
 */
export async function attempt(context: AttemptContext): Promise<Credential> {
  const { request, register } = context;
  const credential = await withProvider(context, (provider, world, signal) =>
    provider.fetchCredential(request.target, world, signal),
  );
  register(request.cacheKey, [credential.password, `${credential.username}:${credential.password}`]);
  if (!isValid(credential, context.world.now())) {
    throw new ProviderError(
      'ClockSkew',
      `${request.cacheKey}: the cloud gave a credential that has expired already: check the time of this node`,
    );
  }
  return credential;
}

/** Asks a provider for something, within the deadline; once more with new sessions when a cloud refused those that it was asked with. */
export function withProvider<T>(context: AttemptContext, ask: Ask<T>): Promise<T> {
  return withDeadline(context, async () => {
    const used = new Map<string, unknown>();
    try {
      return await askOnce(context, ask, { used, comesAgain: true });
    } catch (error) {
      if (!isSessionExpired(error)) throw error;
      context.identities.refuse(used);
      return askOnce(context, ask, { used: new Map(), comesAgain: false });
    }
  });
}

/** Reads a Secret as providers do, remembering it in `reads`. Throws ProviderError `IdentityUnavailable`. */
export async function readSource(
  { world, register }: Pick<AttemptContext, 'world' | 'register'>,
  reference: SecretReference,
  options: { readonly reads: Flight['reads']; readonly signal: AbortSignal },
): Promise<SourceRead> {
  const place = placeOf(reference);
  options.reads.set(place, { reference, digest: undefined });
  const read = await world.readSecret(reference, options.signal).catch((error: unknown) => {
    const why = error instanceof KubeError ? error.reason : 'unreadable';
    throw new ProviderError('IdentityUnavailable', `The ${place} could not be read (${why})`, { cause: error });
  });
  if (read === undefined) {
    options.reads.set(place, { reference, digest: ABSENT });
    throw new ProviderError('IdentityUnavailable', `There is no ${place}`);
  }
  const secrets = Object.entries(read.data).flatMap(([key, value]) =>
    NO_SECRET.test(key) ? [] : [value, value.trim()],
  );
  register(place, [...new Set(secrets)]);
  options.reads.set(place, { reference, digest: read.digest });
  return read;
}

/** What is asked of a provider. */
type Ask<T> = (provider: RegistryProvider<unknown>, world: ProviderWorld, signal: AbortSignal) => Promise<T>;

/** One of the two tries. */
interface Try {
  /** Takes what the try was refused with: the sessions that it got, by key; where what one is made from had expired, the failure. */
  readonly used: Map<string, unknown>;
  /** Another one follows when a session has expired. */
  readonly comesAgain: boolean;
}

async function askOnce<T>(context: AttemptContext, ask: Ask<T>, { used, comesAgain }: Try): Promise<T> {
  const { provider, request, flight, world, identities } = context;
  if (provider === undefined) throw new ProviderError('Unexpected', `There is no provider ${request.provider}`);
  const noting = async <T>(key: string, get: (asker: Asker) => Promise<T>): Promise<T> => {
    try {
      const value = await get({ uses: new Map(used), comesAgain });
      used.set(key, value);
      return value;
    } catch (error) {
      if (isSessionExpired(error)) {
        // The sessions before it were refused where it was asked for: maybe by another attempt, with older ones.
        used.clear();
        used.set(key, error);
      }
      throw error;
    }
  };
  const providerWorld: ProviderWorld = {
    ...world,
    readSecret: async (reference, signal) =>
      (await readSource(context, reference, { reads: flight.reads, signal })).data,
    ...tokensOf(context),
    identity: (key, fetch, signal) => noting(key, (asker) => identities.get(key, fetch, signal, asker)),
    replace: (key, value, fetch, signal) =>
      noting(key, (asker) => identities.replace({ key, value }, fetch, signal, asker)),
  };
  return ask(provider, providerWorld, flight.abort.signal);
}

/** Tokens that prove who we are are secrets, from the moment on that they are there. */
function tokensOf({
  world,
  register,
}: Pick<AttemptContext, 'world' | 'register'>): Pick<ProviderWorld, 'requestToken' | 'readFile'> {
  return {
    async requestToken(serviceAccount, audience, signal) {
      const token = await world.requestToken(serviceAccount, audience, signal);
      register(`token of ${serviceAccount.namespace}/${serviceAccount.name} for ${audience}`, [token]);
      return token;
    },
    async readFile(path) {
      const text = await world.readFile(path);
      register(`file ${path}`, [text.trim()]);
      return text;
    },
  };
}

/** Gives up, whatever the provider does with the signal. */
async function withDeadline<T>(
  { request, flight, delay, timeoutMs }: AttemptContext,
  work: () => Promise<T>,
): Promise<T> {
  const timer = new AbortController();
  const { signal } = flight.abort;
  const ended = new Promise<never>((_resolve, reject) => {
    const giveUp = (why: string): void =>
      reject(new ProviderError('CloudUnavailable', `${request.cacheKey}: ${why}; it will be asked again`));
    const stop = (): void => giveUp('the attempt was given up');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void delay(timeoutMs, timer.signal).then(
      () => {
        if (timer.signal.aborted) return;
        giveUp(`nothing came within ${timeoutMs / 1_000} s`);
        flight.abort.abort();
      },
      () => undefined,
    );
  });
  try {
    // Given up while it waited for its turn: nothing must be asked any more.
    return await (signal.aborted ? ended : Promise.race([work(), ended]));
  } finally {
    timer.abort();
  }
}
