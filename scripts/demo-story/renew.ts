// Third chapter: keys change, tokens expire, the cloud fails and comes back.
import type { AuthEntry, TestObject } from '../../test/support/cluster.ts';
import { SAMPLE } from '../../test/support/clouds/clouds.ts';
import { describePull, expectThat, pull, reach, readLogin, SECRET, type Scene } from './scene.ts';
import type { Steps, Teller } from './steps.ts';

const SHORT_LIFE_MS = 20_000;
const USUAL_LIFE_MS = 3_600_000;
const NEW_KEY = {
  ...SAMPLE.accessKey,
  accessKeyId: 'LTAIsamplesecondkey',
  accessKeySecret: 'second-sample-secret-not-real',
};

/** What the Secret of namespace shop is at one moment. */
interface Held {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly login: AuthEntry;
}

/** A new key, then short-lived tokens. */
export async function tellRenewal(steps: Steps, scene: Scene): Promise<void> {
  const { clouds, cluster } = scene;
  const before = await readHeld(scene);

  const first = await steps.run({ name: 'new-key', title: 'A new AccessKey is used at once' }, async (tell) => {
    clouds.cr.setTokenLife(SHORT_LIFE_MS);
    clouds.state.accessKeys.set(NEW_KEY.accessKeyId, NEW_KEY);
    const stringData = { 'access-key-id': NEW_KEY.accessKeyId, 'access-key-secret': NEW_KEY.accessKeySecret };
    await cluster.patch('secrets', 'alibaba-addon-secret', { stringData }, 'kube-system');
    const held = await rotated(scene, before);
    expectThat(held.uid === before.uid, `shop/${SECRET} keeps its UID`, `it has another one`);
    clouds.state.accessKeys.delete(SAMPLE.accessKey.accessKeyId);
    tell.say('kube-system/alibaba-addon-secret is edited; then the old key is deleted in the cloud');
    tell.say('from now on the cloud gives tokens that live 20 s');
    return held;
  });

  await steps.run({ name: 'rotation', title: 'A token of 20 s is rotated in place' }, async (tell) => {
    tell.wait('waiting until it is due, before 20 s are over');
    const second = await rotated(scene, first, SHORT_LIFE_MS);
    expectThat(second.uid === before.uid, `shop/${SECRET} keeps its UID ${before.uid}`, `its UID is ${second.uid}`);
    const left = expiryOf(scene, first) - clouds.now();
    const [old, fresh] = [await pull(scene, first.login), await pull(scene, second.login)];
    expectThat(fresh.ok, 'a pull with the new token succeeds', describePull(fresh));
    expectThat(old.ok, 'a pull with the old token succeeds until it expires', describePull(old));
    tell.say(`rotated with ${Math.round(left / 1000)} s to spare; UID is the same; the new token pulls`);
    tell.say('both tokens pulled at that moment: there was no gap');
  });

  await steps.run({ name: 'old-token', title: 'The old token no longer pulls' }, async (tell) => {
    await untilRefused(scene, first, tell);
    const current = await pull(scene, (await readHeld(scene)).login);
    expectThat(current.ok, 'a pull with what the Secret holds now succeeds', describePull(current));
    tell.say('expired: HTTP 401; with what the Secret holds now: pulled');
  });
}

/** The cloud fails and comes back. */
export async function tellOutage(steps: Steps, scene: Scene): Promise<void> {
  const { clouds } = scene;
  const last = await steps.run(
    { name: 'outage', title: 'The cloud fails: the last good credential stays' },
    async (tell) => {
      clouds.cr.clearCalls();
      clouds.cr.faults.add({ fault: { kind: 'unavailable' } });
      tell.wait('waiting for the next renewal, which the cloud will refuse');
      await refusals(scene, 1);
      const held = await readHeld(scene);
      const event = await unavailableEvent(scene);
      tell.wait('waiting for two more attempts');
      await refusals(scene, 3);
      const now = await readHeld(scene);
      expectThat(now.resourceVersion === held.resourceVersion, 'the Secret in shop is not touched', 'it was written');
      const pulled = await pull(scene, now.login);
      expectThat(pulled.ok, 'a pull with it succeeds', describePull(pulled));
      tell.say('the cloud answered 503 to three attempts; the Secret is untouched and still pulls');
      tell.say('an Event on the ConfigMap says:');
      for (const line of wrap(event, 80)) tell.say(`  ${line}`);
      return now;
    },
  );

  await steps.run({ name: 'recovery', title: 'The cloud is back: so is a new credential' }, async (tell) => {
    clouds.cr.setTokenLife(USUAL_LIFE_MS);
    clouds.cr.faults.clear();
    tell.wait('waiting for the next attempt');
    const held = await rotated(scene, last, 60_000);
    expectThat(held.uid === last.uid, `shop/${SECRET} keeps its UID`, 'it has another one');
    const pulled = await pull(scene, held.login);
    expectThat(pulled.ok, 'a pull with the new credential succeeds', describePull(pulled));
    tell.say('same UID, a new token, which pulls; it lives one hour again');
  });
}

/** Waits until the cloud has refused so many attempts to get a token. */
async function refusals(scene: Scene, count: number): Promise<void> {
  await reach(scene, {
    expected: `the controller asks the cloud for the next token, and gets 503: ${count} times`,
    look: () =>
      Promise.resolve(scene.clouds.cr.calls({ action: 'GetAuthorizationToken', code: 'ServiceUnavailable' }).length),
    holds: (seen) => seen >= count,
    describe: (seen) => `${seen} times`,
    timeoutMs: SHORT_LIFE_MS,
  });
}

/** Waits for another password in the Secret of shop. */
function rotated(scene: Scene, from: Held, timeoutMs = 30_000): Promise<Held> {
  return reach(scene, {
    expected: `another token in shop/${SECRET}`,
    look: () => readHeld(scene),
    holds: ({ login }) => login.password !== from.login.password,
    describe: ({ resourceVersion }) => `the same token as before (resourceVersion ${resourceVersion})`,
    timeoutMs,
  });
}

async function readHeld(scene: Scene): Promise<Held> {
  const secret: TestObject | undefined = await scene.cluster.get('secrets', SECRET, 'shop');
  const login = await readLogin(scene, 'shop');
  expectThat(secret !== undefined && login !== undefined, `shop/${SECRET} with an entry for the registry`, 'none');
  const { uid, resourceVersion } = secret.metadata;
  return { uid, resourceVersion, login };
}

/** When the cloud stops taking a token, epoch milliseconds. */
function expiryOf({ clouds }: Scene, { login }: Held): number {
  const minted = clouds.state.tokens.get(login.password);
  expectThat(minted !== undefined, 'a token that the cloud has minted', 'one that it does not know');
  return minted.expiresAt;
}

/** Waits for the expiry of a token; a fresh pull with it is then refused. */
async function untilRefused(scene: Scene, held: Held, tell: Teller): Promise<void> {
  const expiresAt = expiryOf(scene, held);
  tell.wait('waiting until it expires');
  await reach(scene, {
    expected: 'the old token expires',
    look: () => Promise.resolve(expiresAt - scene.clouds.now()),
    holds: (leftMs) => leftMs <= 0,
  });
  const result = await pull(scene, held.login);
  expectThat(!result.ok && result.status === 401, 'a pull with the expired token is refused', describePull(result));
}

/** What a person reads about the outage in `kubectl describe configmap`. */
async function unavailableEvent(scene: Scene): Promise<string> {
  const event = await reach(scene, {
    expected: 'an Event CredentialUnavailable on the ConfigMap',
    look: async () => (await scene.cluster.list('events', 'kube-system')).find(isUnavailable),
    holds: (found) => found !== undefined,
    describe: () => 'none',
    timeoutMs: 5_000,
  });
  return String(event?.message);
}

function isUnavailable(event: TestObject): boolean {
  return event.reason === 'CredentialUnavailable';
}

function wrap(text: string, width: number): readonly string[] {
  return text.match(new RegExp(`\\S.{0,${width - 1}}(?=\\s|$)`, 'g')) ?? [];
}
