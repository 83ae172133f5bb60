// What credentials leave behind at the cloud, and how we know that it is ours: long-term tokens and service accounts carry a tag with
// the cluster, the installation and the target (tcr.md section 12; decision 11).
import { setTimeout as pause } from 'node:timers/promises';
import { ProviderError } from '../../core/errors.ts';
import type { EpochMs } from '../../core/types.ts';
import { shortDigest } from '../../core/short-digest.ts';
import type { Owner } from '../provider.ts';
import { MAX_DESCRIPTION } from './target.ts';
import type { InstanceCall, Minted, MintedLogin, TcrApi } from './tcr-api.ts';

/** What is made. */
export interface Wish {
  readonly mode: 'longterm' | 'robot';
  /** Tells targets of one instance apart; no secret. */
  readonly targetKey: string;
  readonly owner: Owner;
  /** undefined = the default. */
  readonly description: string | undefined;
  readonly namespaces: readonly string[];
}

/** About which instance it is asked, and how. */
export interface Asking {
  readonly api: TcrApi;
  readonly call: InstanceCall;
}

/** More than these are never there but after as many lost answers; then somebody has to look. */
const MAX_LIVE = 5;

/** How long a service account lives, milliseconds: a week, so that one that was forgotten ends by itself. */
const ROBOT_LIFE_MS = 7 * 86_400_000;

/** How often, and how long apart, it is asked whether what was deleted is gone: the cloud is slow to show it. */
const LOOKS = 10;
const LOOK_MS = 1_000;

/** Makes a new one, whatever there is: none that is in use is changed. Throws ProviderError `RequestRefused` when too many are there. */
export async function mint(wish: Wish, { api, call }: Asking, signal: AbortSignal): Promise<MintedLogin> {
  const live = (await listOwn(wish, { api, call }, signal)).filter(({ isLive }) => isLive);
  if (live.length >= MAX_LIVE) {
    const ids = live.map(({ id }) => id).slice(0, 20);
    throw new ProviderError(
      'RequestRefused',
      `${call.registryId} has ${live.length} live ${nounOf(wish)} of ours, and no more are made: ${ids.join(', ')}; delete in the console those that are not in use, and allow the identity from ${call.key.origin} the action ${deletion(wish)}`,
    );
  }
  const description = describe(wish);
  if (wish.mode === 'longterm') return api.createInstanceToken({ ...call, type: 'longterm', description }, signal);
  const { namespaces } = wish;
  const now = call.now();
  const account = { name: accountName(wish, now), description, namespaces, expiresAt: now + ROBOT_LIFE_MS };
  return api.createServiceAccount({ ...call, ...account }, signal);
}

/**
 * Deletes ours but for `keep`, and waits until they are gone. Gives their ids. Throws ProviderError that names those that are left.
 */
export async function revoke(
  wish: Wish & { readonly keep: string | undefined },
  { api, call }: Asking,
  { signal, delay = pauseFor }: { readonly signal: AbortSignal; readonly delay?: typeof pauseFor | undefined },
): Promise<readonly string[]> {
  const listOld = async (): Promise<readonly string[]> =>
    (await listOwn(wish, { api, call }, signal)).map(({ id }) => id).filter((id) => id !== wish.keep);
  const old = await listOld();
  const failures = new Map<string, ProviderError>();
  for (const id of old) {
    try {
      if (wish.mode === 'longterm') await api.deleteInstanceToken({ ...call, id }, signal);
      else await api.deleteServiceAccount({ ...call, id }, signal);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      // It holds up none of the others; and if it is gone all the same, that is what was wanted.
      failures.set(id, error);
    }
  }
  for (let look = 0, left = old; left.length > 0; look += 1) {
    const listed = await listOld();
    left = old.filter((id) => listed.includes(id));
    const isHopeless = left.every((id) => failures.has(id)) || look === LOOKS;
    if (left.length > 0 && (isHopeless || !(await isPatient()))) throw leftBehind(wish, { call, left, failures });
  }
  return old;

  /** False = whoever asked is gone. */
  async function isPatient(): Promise<boolean> {
    await delay(LOOK_MS, signal).catch(() => undefined);
    return !signal.aborted;
  }
}

function leftBehind(
  wish: Wish,
  of: {
    readonly call: InstanceCall;
    readonly left: readonly string[];
    readonly failures: ReadonlyMap<string, ProviderError>;
  },
): ProviderError {
  const { call, left, failures } = of;
  const what = `${nounOf(wish)} ${left.slice(0, 20).join(', ')} of ${call.registryId} in ${call.region}`;
  const [failure] = left.flatMap((id) => failures.get(id) ?? []);
  if (failure === undefined) {
    return new ProviderError(
      'CloudUnavailable',
      `The ${what} were deleted, and are still listed; it will be looked again`,
    );
  }
  const { reason, message, requestId, retryAfterMs } = failure;
  return new ProviderError(reason, `The ${what} could not be deleted: ${message}`, { requestId, retryAfterMs });
}

async function listOwn(wish: Wish, { api, call }: Asking, signal: AbortSignal): Promise<readonly Minted[]> {
  const listed =
    wish.mode === 'longterm'
      ? await api.describeInstanceTokens(call, signal)
      : await api.describeServiceAccounts(call, signal);
  const tag = tagOf(wish);
  return listed.filter(({ description }) => description.endsWith(tag));
}

/** The tag is never cut, and stands last. */
function describe({ description, ...wish }: Wish): string {
  const tag = tagOf({ description, ...wish });
  const text = description ?? `Kubernetes cluster (${wish.owner.cluster}) dedicated access credential`;
  // Half a character is none.
  return `${text.slice(0, MAX_DESCRIPTION - tag.length - 1).replace(/[\ud800-\udbff]$/, '')} ${tag}`;
}

function tagOf({ owner, targetKey }: Wish): string {
  return `[registry-credential-helper ${owner.cluster}/${owner.instance}/${shortDigest(targetKey)}]`;
}

/** Letters, digits and dashes, 42 at most; another one each time, and for each target. */
function accountName({ owner, targetKey }: Wish, now: EpochMs): string {
  const cluster = owner.cluster.replace(/[^a-z0-9]/g, '').slice(0, 8);
  const instance = owner.instance.replace(/-+/g, '-').slice(0, 14).replace(/-$/, '');
  return `rch-${cluster}-${instance}-${shortDigest(targetKey).slice(0, 4)}${now.toString(36)}`;
}

function nounOf({ mode }: Wish): string {
  return mode === 'longterm' ? 'long-term tokens' : 'service accounts';
}

function deletion({ mode }: Wish): string {
  return mode === 'longterm' ? 'tcr:DeleteInstanceToken' : 'tcr:DeleteServiceAccount';
}

function pauseFor(ms: number, signal: AbortSignal): Promise<unknown> {
  return pause(ms, undefined, { signal });
}
