// Builders for unit tests of the planner: each sets only what the case is about, the rest is a healthy default.
import type { PlanSettings } from '../../src/core/assess-secret.ts';
import { parseConfig } from '../../src/core/config.ts';
import { digestOf } from '../../src/core/docker-config.ts';
import { managedLabels, SECRET_NAME, SECRET_TYPE } from '../../src/core/names.ts';
import type { PlanContext } from '../../src/core/plan-secrets.ts';
import { NO_NAMES, parseNamePatterns } from '../../src/core/scope.ts';
import { sourceOf } from '../../src/core/source.ts';
import type {
  Config,
  Credential,
  CredentialAnswer,
  CredentialRequest,
  Desired,
  EntryRecord,
  Failure,
  NamePatterns,
  Observed,
  ObservedSecret,
  ObservedServiceAccount,
  Rule,
  Scope,
} from '../../src/core/types.ts';

/** The instant at which unit tests happen. */
export const NOW = Date.parse('2026-01-02T03:04:05Z');
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const INSTANCE = 'default';
export const NAMESPACE = 'shop';

/** Name patterns of a text that is right. */
export function patterns(text: string): NamePatterns {
  if (text === '') return NO_NAMES;
  const parsed = parseNamePatterns(text, 'test');
  if (!parsed.ok) throw new Error(`not a list of names: ${text}`);
  return parsed.value;
}

export function buildScope(parts: Partial<Scope> = {}): Scope {
  return {
    namespaces: patterns('*'),
    namespaceSelector: undefined,
    excludedNamespaces: NO_NAMES,
    serviceAccounts: patterns('default'),
    serviceAccountSelector: undefined,
    ...parts,
  };
}

/** A request known under `cacheKey`, for the given hosts; none = those that the credential brings along. */
export function buildRequest(cacheKey: string, hosts?: readonly string[]): CredentialRequest {
  return { provider: 'fake', target: { cacheKey }, cacheKey, hosts };
}

export function buildRule(parts: Partial<Rule> = {}): Rule {
  return {
    origin: 'registry-info',
    secretName: SECRET_NAME,
    scope: buildScope(),
    requests: [buildRequest('a', ['a.example'])],
    ...parts,
  };
}

export function buildDesired(...rules: readonly Rule[]): Desired {
  return { secrets: rules.map((rule) => ({ name: rule.secretName, rule })) };
}

export function buildSettings(parts: Partial<PlanSettings> = {}): PlanSettings {
  return {
    instance: INSTANCE,
    thresholdMs: 15 * MINUTE,
    adoptExisting: 'vendor',
    secretLabels: {},
    email: undefined,
    ...parts,
  };
}

/** A credential of one hour, issued just now. */
export function buildCredential(parts: Partial<Credential> = {}): Credential {
  return { username: 'cr_temp_user', password: 'p-1', issuedAt: NOW, expiresAt: NOW + HOUR, ...parts };
}

/** The source of what was made for `cacheKey` from the given revision of its Secret. */
export function buildSource(cacheKey: string, revision = 'r1'): string {
  return sourceOf(cacheKey, [revision]);
}

/** A record of one hour, issued just now, made for `cacheKey`. */
export function buildRecord(cacheKey: string, parts: Partial<EntryRecord> = {}): EntryRecord {
  return { source: buildSource(cacheKey), issuedAt: NOW, expiresAt: NOW + HOUR, ...parts };
}

export function buildFresh(cacheKey: string, parts: Partial<Credential> = {}): CredentialAnswer {
  return { status: 'fresh', credential: buildCredential(parts), source: buildSource(cacheKey) };
}

export function buildFailure(parts: Partial<Failure> = {}): Failure {
  return { reason: 'CloudUnavailable', message: 'The cloud did not answer', retryAt: NOW + 30 * SECOND, ...parts };
}

export function buildStale(cacheKey: string, parts: Partial<Credential> = {}): CredentialAnswer {
  return {
    status: 'stale',
    credential: buildCredential(parts),
    source: buildSource(cacheKey),
    failure: buildFailure(),
  };
}

export function buildUnavailable(parts: Partial<Failure> = {}): CredentialAnswer {
  return { status: 'unavailable', failure: buildFailure(parts) };
}

/** A Secret of ours with these entries, just as we wrote it. */
export function buildSecret(
  entries: Readonly<Record<string, EntryRecord>> | undefined,
  parts: Partial<ObservedSecret> = {},
): ObservedSecret {
  const name = parts.name ?? SECRET_NAME;
  const digest = digestOf({ dockerConfigJson: JSON.stringify(entries ?? 'foreign') });
  return {
    namespace: NAMESPACE,
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '7',
    type: SECRET_TYPE,
    immutable: false,
    labels: managedLabels(INSTANCE),
    place: entries === undefined ? undefined : `${NAMESPACE}/${name}`,
    entries,
    recordedDigest: entries === undefined ? undefined : digest,
    contentDigest: digest,
    ...parts,
  };
}

/** A Secret that somebody else made. */
export function buildForeignSecret(parts: Partial<ObservedSecret> = {}): ObservedSecret {
  return buildSecret(undefined, { labels: {}, ...parts });
}

export function buildServiceAccount(parts: Partial<ObservedServiceAccount> = {}): ObservedServiceAccount {
  const name = parts.name ?? 'default';
  return {
    namespace: NAMESPACE,
    name,
    uid: `uid-of-${name}`,
    resourceVersion: '3',
    createdAt: NOW - HOUR,
    labels: {},
    imagePullSecrets: [],
    recorded: [],
    ...parts,
  };
}

export function buildObserved(
  parts: {
    namespace?: Partial<Observed['namespace']>;
    serviceAccounts?: readonly ObservedServiceAccount[];
    secrets?: readonly ObservedSecret[];
    contendedUntil?: Observed['contendedUntil'];
    refusedUntil?: Observed['refusedUntil'];
  } = {},
): Observed {
  return {
    namespace: { name: NAMESPACE, labels: {}, terminating: false, ...parts.namespace },
    serviceAccounts: parts.serviceAccounts ?? [],
    secrets: new Map((parts.secrets ?? []).map((secret) => [secret.name, secret])),
    contendedUntil: parts.contendedUntil ?? new Map(),
    refusedUntil: parts.refusedUntil ?? new Map(),
  };
}

/** What planning needs; the store holds nothing unless `sources` says so, by cache key. */
export function buildContext(
  parts: Parameters<typeof buildObserved>[0] & {
    settings?: Partial<PlanSettings>;
    sources?: Readonly<Record<string, string>>;
    now?: number;
  } = {},
): PlanContext {
  return {
    settings: buildSettings(parts.settings),
    observed: buildObserved(parts),
    currentSource: (cacheKey) => parts.sources?.[cacheKey],
    now: parts.now ?? NOW,
  };
}

/** What a ConfigMap without a registry means. */
export function buildDefaults(): Config {
  const world = { parseItem: () => undefined, providers: [], namespace: 'kube-system' };
  const parsed = parseConfig({ 'registry-info': '[]' }, world);
  if (!parsed.ok) throw new Error('the defaults are no configuration');
  return parsed.value;
}
