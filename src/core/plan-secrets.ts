// The decisions about the Secrets of one namespace: create, update in place, replace, leave alone, delete.
import {
  assessSecret,
  recordsFor,
  secretLabels,
  type CurrentSource,
  type PlanSettings,
  type WantedCredential,
} from './assess-secret.ts';
import { definitionFor, planMarks } from './definition-mark.ts';
import { mayBeWanted } from './desired.ts';
import { buildDockerConfig, digestOf, formatEntries } from './docker-config.ts';
import {
  CREDENTIALS_ANNOTATION,
  DEFINITION_ANNOTATION,
  DIGEST_ANNOTATION,
  GITOPS_ANNOTATIONS,
  isOwn,
  PLACE_ANNOTATION,
  RESOURCE_SECRET_PREFIX,
} from './names.ts';
import { newEntries, type NewEntry } from './new-entries.ts';
import { holdBackUntil, reasonToWrite } from './worth-writing.ts';
import { dueAt, spreadOf } from './refresh.ts';
import type { SecretContent, Skip, SkipReason, Write, WriteReason } from './plan-types.ts';
import type { CredentialAnswer, Desired, DesiredSecret, EpochMs, Observed, ObservedSecret } from './types.ts';

/** How soon a Secret that could not be finished is looked at again at the earliest. */
const RECHECK_MS = 1_000;

/** How soon at the latest a due Secret is looked at again for which the store has nothing that lives longer. */
const IMPATIENT_MS = 60_000;

/** How soon a name that somebody else holds is looked at again: no watch tells us. */
export const TAKEN_RECHECK_MS = 600_000;

/** What planning needs to know. */
export interface PlanContext {
  readonly settings: PlanSettings;
  readonly observed: Observed;
  readonly currentSource: CurrentSource;
  readonly now: EpochMs;
}

/** The decisions about Secrets. */
export interface SecretDecisions {
  readonly writes: readonly Write[];
  readonly skips: readonly Skip[];
  /** Names that are there, or will be once the writes are made: references to them are sound. */
  readonly ready: ReadonlySet<string>;
  /** Names that are wanted, not there, and that the API server does not let us write: what they replace must stay. */
  readonly refused: ReadonlySet<string>;
  readonly nextCheckAt: EpochMs | undefined;
}

/** The credentials that the namespace needs from the store before it can be planned; none when all is right. */
export function wantedCredentials(desired: Desired, context: PlanContext): readonly WantedCredential[] {
  const { settings, observed, currentSource, now } = context;
  return desired.secrets.flatMap((secret) => {
    const assessment = assessSecret(secret, observed.secrets.get(secret.name), {
      settings,
      namespace: observed.namespace.name,
      currentSource,
      now,
    });
    return assessment.kind === 'ours' ? assessment.wanted : [];
  });
}

/** Plans every Secret that the namespace should hold, and the deletion of ours that no rule wants. */
export function planSecrets(
  desired: Desired,
  answers: ReadonlyMap<string, CredentialAnswer>,
  context: PlanContext,
): SecretDecisions {
  const wanted = new Set(desired.secrets.map((secret) => secret.name));
  const unwanted = [...context.observed.secrets.values()].filter(
    (secret) =>
      !wanted.has(secret.name) && !mayBeWanted(secret.name, desired) && isOwn(secret, context.settings.instance),
  );
  const { observed, settings } = context;
  const planned = desired.secrets.map((secret) =>
    planSecret(secret, answers, { ...context, definition: definitionFor(secret.name, desired) }),
  );
  const others = new Set([...unwanted, ...planned.flatMap(({ writes }) => writes)].map(({ name }) => name));
  const marks = planMarks(desired, observed, { instance: settings.instance, others });
  const parts = [
    ...planned,
    ...[...marks, ...unwanted.map(deletionOf)].map((write) => decide({ writes: [write], nextCheckAt: undefined })),
  ].map((part) => withWaiting(part, context));
  return {
    writes: parts.flatMap((part) => part.writes),
    skips: parts.flatMap((part) => part.skips),
    ready: new Set(parts.flatMap((part) => [...part.ready])),
    refused: new Set(parts.flatMap((part) => [...part.refused])),
    nextCheckAt: soonest(...parts.map((part) => part.nextCheckAt)),
  };
}

/** The decision about one Secret without the write that must wait: others fight over it, or the API server refused the last one. */
function withWaiting(part: SecretDecisions, { observed, now }: PlanContext): SecretDecisions {
  const [write] = part.writes;
  if (write === undefined) return part;
  const { name } = write;
  const place = `${write.namespace}/${name}`;
  const present = observed.secrets.get(name);
  const skip = (reason: SkipReason, until: EpochMs, message: string): SecretDecisions => ({
    writes: [],
    skips: [...part.skips, { reason, name, uid: present?.uid, object: 'Secret', message }],
    ready: new Set(present === undefined ? [] : part.ready),
    refused: new Set(present === undefined && reason === 'WriteRefused' ? [name] : []),
    nextCheckAt: soonest(part.nextCheckAt, until),
  });
  const refusedUntil = observed.refusedUntil.get(place) ?? 0;
  if (refusedUntil > now) {
    return skip('WriteRefused', refusedUntil, `Secret ${place} may not be written: waiting before trying again`);
  }
  const contendedUntil = observed.contendedUntil.get(place) ?? 0;
  if (contendedUntil <= now) return part;
  const what = 'is changed, deleted or put back by another writer again and again';
  return skip('Contended', contendedUntil, `Secret ${place} ${what}: waiting before writing it`);
}

function planSecret(
  desired: DesiredSecret,
  answers: ReadonlyMap<string, CredentialAnswer>,
  context: PlanContext & { readonly definition: string | undefined },
): SecretDecisions {
  const { settings, observed, currentSource, now } = context;
  const { name } = desired;
  const present = observed.secrets.get(name);
  const namespace = observed.namespace.name;
  const assessment = assessSecret(desired, present, { settings, namespace, currentSource, now });
  if (assessment.kind === 'taken') {
    const message = `Secret ${namespace}/${name} belongs to somebody else: rename it, ${name.startsWith(RESOURCE_SECRET_PREFIX) ? 'call the resource otherwise' : 'choose another `secret-name`'}, or allow \`adopt-existing\``;
    return decide({
      skips: [{ reason: 'NameTaken', name, uid: present?.uid, message }],
      nextCheckAt: now + TAKEN_RECHECK_MS,
    });
  }

  const ready = present === undefined ? [] : [name];
  const { records, recordsByKey, dueHosts, lacksLabels, nextDueAt } = assessment;
  if (assessment.reason === undefined) return decide({ ready, nextCheckAt: nextDueAt });

  const { entries, failures, retries } = newEntries(desired, answers, now);
  const notBefore = (at: EpochMs): EpochMs => Math.max(at, now + RECHECK_MS);
  const recheck = soonest(nextDueAt, ...retries.map(notBefore));
  const skips: readonly Skip[] = failures.map(({ message }) => ({ reason: 'CredentialUnavailable', name, message }));
  if (entries.length === 0) return decide({ ready, skips, nextCheckAt: recheck });

  const failed = new Set(failures.flatMap(({ request }) => recordsFor(request, recordsByKey)));
  const before = { reason: assessment.reason, lacksLabels, records, dueHosts, failed };
  const reason = reasonToWrite(entries, before, now);
  const holdUntil = reason === undefined ? undefined : holdBackUntil({ reason, entries, failures, records, now });
  if (holdUntil !== undefined) {
    const message = `Secret ${namespace}/${name} keeps its entries until every valid one can be written again`;
    const freeAt = soonest(recheck, Number.isFinite(holdUntil) ? notBefore(holdUntil) : undefined);
    return decide({ ready, skips: [...skips, { reason: 'LastGoodKept', name, message }], nextCheckAt: freeAt });
  }
  if (reason === undefined) {
    // Nothing failed and yet nothing lives longer: a tenth of what is left, so that it is no hot loop.
    const left = [...dueHosts].map((host) => (records[host]?.expiresAt ?? now) - now);
    const impatient = retries.length === 0 && left.length > 0 ? Math.min(...left, 10 * IMPATIENT_MS) / 10 : undefined;
    return decide({
      ready,
      skips,
      nextCheckAt: soonest(recheck, impatient === undefined ? undefined : notBefore(Math.ceil(now + impatient))),
    });
  }
  const content = contentOf(entries, context, `${namespace}/${name}`);
  const write = writeOf(present, { namespace, name, reason, content });
  const spread = spreadOf(`${namespace}/${name}`);
  const due = entries.flatMap(({ record }) => dueAt(record, settings.thresholdMs, spread) ?? []);
  const upcoming = due.filter((at) => at > now || retries.length === 0).map(notBefore);
  return decide({
    writes: [write],
    skips,
    ready: [name],
    nextCheckAt: soonest(...retries.map(notBefore), ...upcoming),
  });
}

function contentOf(
  entries: readonly NewEntry[],
  { settings, definition }: { readonly settings: PlanSettings; readonly definition: string | undefined },
  place: string,
): SecretContent {
  const dockerConfigJson = buildDockerConfig(entries, settings.email);
  const records = formatEntries(Object.fromEntries(entries.map(({ host, record }) => [host, record])));
  return {
    labels: secretLabels(settings),
    annotations: {
      ...GITOPS_ANNOTATIONS,
      [PLACE_ANNOTATION]: place,
      [CREDENTIALS_ANNOTATION]: records,
      [DIGEST_ANNOTATION]: digestOf({ dockerConfigJson, entries: records }),
      ...(definition === undefined ? {} : { [DEFINITION_ANNOTATION]: definition }),
    },
    dockerConfigJson,
  };
}

function writeOf(
  present: ObservedSecret | undefined,
  parts: { namespace: string; name: string; reason: WriteReason; content: SecretContent },
): Write {
  if (present === undefined) return { kind: 'create-secret', ...parts };
  const kind = parts.reason === 'SecretTypeWrong' ? 'replace-secret' : 'update-secret';
  return { kind, ...parts, uid: present.uid, resourceVersion: present.resourceVersion };
}

function deletionOf({ namespace, name, uid, resourceVersion }: ObservedSecret): Write {
  return { kind: 'delete-secret', namespace, name, uid, resourceVersion, reason: 'SecretUnwanted' };
}

function decide(parts: {
  writes?: readonly Write[];
  skips?: readonly Skip[];
  ready?: readonly string[];
  nextCheckAt: EpochMs | undefined;
}): SecretDecisions {
  return {
    writes: parts.writes ?? [],
    skips: parts.skips ?? [],
    ready: new Set(parts.ready ?? []),
    refused: new Set(),
    nextCheckAt: parts.nextCheckAt,
  };
}

/** The earliest of the instants that are finite; undefined when there is none. */
export function soonest(...instants: readonly (EpochMs | undefined)[]): EpochMs | undefined {
  const known = instants.flatMap((instant) => (instant !== undefined && Number.isFinite(instant) ? [instant] : []));
  return known.length === 0 ? undefined : Math.min(...known);
}
