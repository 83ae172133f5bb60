// Generates namespaces in every state that people, other controllers and time leave them in.
import fc from 'fast-check';
import { digestOf, formatEntries } from '../../src/core/docker-config.ts';
import {
  ACR_SECRET_NAME,
  CREDENTIALS_ANNOTATION,
  DIGEST_ANNOTATION,
  PLACE_ANNOTATION,
  IGNORE_LABEL,
  INSTANCE_LABEL,
  MANAGED_BY_LABEL,
  managedLabels,
  SECRET_NAME,
  SECRET_TYPE,
} from '../../src/core/names.ts';
import type { CredentialAnswer, EntryRecord, EpochMs, Rule } from '../../src/core/types.ts';
import {
  buildRequest,
  buildScope,
  buildSettings,
  buildSource,
  HOUR,
  INSTANCE,
  MINUTE,
  NAMESPACE,
  NOW,
  patterns,
} from './builders.ts';
import { EDITS, type ForeignEdit, type Wishes } from './planned-world-run.ts';
import { PlannedWorld, type StoredSecret, type StoredServiceAccount } from './planned-world.ts';

export const HOSTS: readonly string[] = ['h1.example', 'h2.example:5000', '*.h3.example', 'h4.example'];
export const KEYS: readonly string[] = ['a', 'b', 'c'];
export const SECRET_NAMES: readonly string[] = [SECRET_NAME, ACR_SECRET_NAME, 'team-pull'];
const OTHER_NAMES: readonly string[] = ['mine', 'registry-of-bob', 'left-over'];
const ACCOUNTS: readonly string[] = ['default', 'builder', 'robot'];

type SecretSeed = Omit<StoredSecret, 'uid' | 'resourceVersion'>;
type AccountSeed = Omit<StoredServiceAccount, 'uid' | 'resourceVersion'>;

/** A world before we come, and what foreign writers do meanwhile. */
export interface WorldSeed {
  readonly secrets: Readonly<Record<string, SecretSeed>>;
  readonly accounts: Readonly<Record<string, AccountSeed>>;
  /** ServiceAccounts and Secrets that others fight over. */
  readonly contended: readonly string[];
  /** Secrets that the API server refuses to let us write. */
  readonly refused: readonly string[];
}

const instant = (earliest: number, latest: number): fc.Arbitrary<EpochMs> =>
  fc.integer({ min: earliest, max: latest }).map((offset) => NOW + offset);

const issuedAt = fc.oneof({ weight: 9, arbitrary: instant(-2 * HOUR, 0) }, { weight: 1, arbitrary: instant(1, HOUR) });
const expiresAt = fc.oneof(
  { weight: 8, arbitrary: instant(-5 * MINUTE, 2 * HOUR) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const source = fc
  .tuple(fc.constantFrom(...KEYS, ...KEYS, 'gone'), fc.constantFrom('r1', 'r1', 'r2'))
  .map(([key, revision]) => buildSource(key, revision));
const record: fc.Arbitrary<EntryRecord> = fc.record({ source, issuedAt, expiresAt });
const retryAt = fc.constantFrom(undefined, NOW - 1, NOW + 1, NOW + 10 * MINUTE);
const failure = fc.record({
  reason: fc.constantFrom('CloudUnavailable' as const, 'CredentialPending' as const, 'PermissionDenied' as const),
  message: fc.constant('The cloud did not answer'),
  retryAt,
});

function answerFor(key: string): fc.Arbitrary<CredentialAnswer> {
  const credential = fc
    .record({
      username: fc.constant('user'),
      password: fc.constant(`password-of-${key}`),
      issuedAt,
      expiresAt,
      hosts: fc.option(fc.subarray([...HOSTS]), { nil: undefined }),
    })
    .map(({ hosts, ...rest }) => (hosts === undefined ? rest : { ...rest, hosts }));
  const from = fc.constantFrom('r1', 'r1', 'r2').map((revision) => buildSource(key, revision));
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ status: fc.constant('fresh' as const), credential, source: from }) },
    { weight: 2, arbitrary: fc.record({ status: fc.constant('stale' as const), credential, source: from, failure }) },
    { weight: 2, arbitrary: fc.record({ status: fc.constant('unavailable' as const), failure }) },
  );
}

/** Rules with distinct Secret names, as the parser makes them. */
const rules: fc.Arbitrary<readonly Rule[]> = fc.subarray([...SECRET_NAMES], { minLength: 1 }).chain((names) =>
  fc.tuple(
    ...names.map((secretName) =>
      fc
        .record({
          keys: fc.shuffledSubarray([...KEYS], { minLength: 1 }),
          hosts: fc.array(fc.option(fc.subarray([...HOSTS], { minLength: 1 }), { nil: undefined }), {
            minLength: KEYS.length,
            maxLength: KEYS.length,
          }),
          accounts: fc.constantFrom('default', '*', 'default, builder', '!robot'),
          inScope: fc.integer({ min: 0, max: 9 }),
        })
        .map(({ keys, hosts, accounts, inScope }) => ({
          origin: 'registry-info',
          secretName,
          scope: buildScope({
            namespaces: patterns(inScope === 0 ? 'elsewhere' : '*'),
            serviceAccounts: patterns(accounts),
          }),
          requests: keys.map((key, index) => buildRequest(key, hosts[index])),
        })),
    ),
  ),
);

export const wishesArbitrary: fc.Arbitrary<Wishes> = fc
  .record({
    rules,
    adoptExisting: fc.constantFrom('vendor' as const, 'all' as const, 'none' as const),
    secretLabels: fc.constantFrom({}, { team: 'shop' }),
    thresholdMs: fc.constantFrom(15 * MINUTE, 5 * HOUR),
    answers: fc.tuple(...KEYS.map(answerFor)),
  })
  .map(({ rules, answers, ...settings }) => ({
    rules,
    settings: buildSettings(settings),
    answers: new Map(KEYS.flatMap((key, index) => (answers[index] === undefined ? [] : [[key, answers[index]]]))),
  }));

const labels = fc.constantFrom<Readonly<Record<string, string>>>(
  ...Array<Readonly<Record<string, string>>>(12).fill(managedLabels(INSTANCE)),
  managedLabels('other'),
  { [MANAGED_BY_LABEL]: 'Helm', [INSTANCE_LABEL]: 'shop' },
  { [MANAGED_BY_LABEL]: managedLabels(INSTANCE)[MANAGED_BY_LABEL] ?? '' },
  { [INSTANCE_LABEL]: INSTANCE },
  { [INSTANCE_LABEL]: 'other' },
  {},
);

/** What somebody makes of our annotation. */
const EDITED_ANNOTATIONS: Readonly<Record<string, string>> = {
  'broken annotation': '{"h1.example":1}',
  'edited annotation': formatEntries({
    'h1.example': { source: buildSource('a'), issuedAt: NOW, expiresAt: NOW + 24 * HOUR },
  }),
};

const writtenSecret: fc.Arbitrary<SecretSeed> = fc
  .record({
    entries: fc.dictionary(fc.constantFrom(...HOSTS), record, { maxKeys: 4 }),
    labels,
    type: fc.constantFrom(...Array<string>(9).fill(SECRET_TYPE), 'Opaque'),
    immutable: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
    harm: fc.constantFrom(
      ...Array<string>(12).fill('none'),
      ...['edited', 'broken annotation', 'edited annotation', 'no digest', 'lying digest'],
    ),
  })
  .map(({ entries, harm, ...rest }) => {
    const auths = Object.fromEntries(Object.keys(entries).map((host) => [host, { auth: 'b2xk' }]));
    const text = JSON.stringify({ auths });
    const annotation = formatEntries(entries);
    const digest = digestOf({ dockerConfigJson: text, entries: annotation });
    return {
      ...rest,
      text: harm === 'edited' ? `${text} ` : text,
      annotations: {
        [CREDENTIALS_ANNOTATION]: EDITED_ANNOTATIONS[harm] ?? annotation,
        ...(harm === 'no digest' ? {} : { [DIGEST_ANNOTATION]: harm === 'lying digest' ? 'sha256:0' : digest }),
      },
    };
  });

export const foreignSecret: fc.Arbitrary<SecretSeed> = fc.record({
  labels: fc.constantFrom<Readonly<Record<string, string>>>({}, { [MANAGED_BY_LABEL]: 'Helm' }, managedLabels('other')),
  type: fc.constantFrom(SECRET_TYPE, 'Opaque'),
  immutable: fc.boolean(),
  annotations: fc.constant({}),
  text: fc.constant('{"auths":{"bob.example":{"auth":"Ym9i"}}}'),
});

const account: fc.Arbitrary<AccountSeed> = fc.record({
  createdAt: instant(-48 * HOUR, 0),
  labels: fc.constantFrom<Readonly<Record<string, string>>>({}, {}, {}, { [IGNORE_LABEL]: 'true' }),
  imagePullSecrets: fc.shuffledSubarray([...SECRET_NAMES, ...OTHER_NAMES]),
  recorded: fc
    .subarray([...SECRET_NAMES, 'left-over'])
    .map((names) => ({ [INSTANCE]: names, other: names.includes('team-pull') ? ['registry-of-bob'] : [] })),
});

export const seedArbitrary: fc.Arbitrary<WorldSeed> = fc.record({
  secrets: fc.dictionary(
    fc.constantFrom(...SECRET_NAMES, ...OTHER_NAMES),
    fc.oneof({ weight: 5, arbitrary: writtenSecret }, { weight: 1, arbitrary: foreignSecret }),
    { maxKeys: 5 },
  ),
  accounts: fc.dictionary(fc.constantFrom(...ACCOUNTS), account, { maxKeys: 3 }),
  contended: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray([...ACCOUNTS, ...SECRET_NAMES]) },
  ),
  refused: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray([...SECRET_NAMES]) },
  ),
});

export const editsArbitrary: fc.Arbitrary<readonly ForeignEdit[]> = fc.array(
  fc.record({
    beforeWrite: fc.nat(8),
    name: fc.constantFrom(...SECRET_NAMES, ...ACCOUNTS),
    kind: fc.constantFrom(...EDITS),
  }),
  { maxLength: 4 },
);

/** True for what a seed names as a ServiceAccount. */
export function isAccountName(name: string): boolean {
  return ACCOUNTS.includes(name);
}

/** A fresh world from a seed. */
export function worldOf(seed: WorldSeed): PlannedWorld {
  const world = new PlannedWorld();
  for (const name of seed.contended) world.contendedUntil.set(`${NAMESPACE}/${name}`, NOW + MINUTE);
  for (const name of seed.refused) world.refusedUntil.set(`${NAMESPACE}/${name}`, NOW + MINUTE);
  for (const [name, secret] of Object.entries(seed.secrets)) {
    const isOurs = CREDENTIALS_ANNOTATION in secret.annotations;
    const place = isOurs ? { [PLACE_ANNOTATION]: `${NAMESPACE}/${name}` } : {};
    const annotations = { ...secret.annotations, ...place };
    world.secrets.set(name, { ...secret, annotations, uid: world.next(), resourceVersion: world.next() });
  }
  for (const [name, account] of Object.entries(seed.accounts)) {
    const uid = world.next();
    world.serviceAccounts.set(name, { ...account, uid, resourceVersion: world.next() });
    if (seed.contended.includes(name)) world.contendedUntil.set(uid, NOW + MINUTE);
  }
  return world;
}
