// Lines and the page that the plans of all moves share.
import { leaseName } from './names.ts';
import type { FoundSecret, TakeOverFacts } from './take-over-facts.ts';
import { hasWrongType, placeOf, type SecretSurvey, type Survey } from './take-over-survey.ts';
import { count, listed, plain } from './take-over-words.ts';
import type { EpochMs } from './types.ts';

/** A title and its lines. */
export type Section = readonly [string, readonly string[]];

/** The whole plan, every line ended. */
export function planPage(from: string, now: EpochMs, sections: readonly Section[]): string {
  const head = [
    `From ${from} to registry-credential-helper: the plan for this cluster, as it was at ${new Date(now).toISOString()}.`,
    'Nothing was written.',
  ];
  const body = sections.flatMap(([title, lines]) => ['', title, '-'.repeat(title.length), '', ...lines]);
  return [...head, ...body].map((line) => `${line}\n`).join('');
}

/** The line, unless there is nothing that it is about. */
export function some(group: readonly unknown[], line: string): readonly string[] {
  return group.length === 0 ? [] : [line];
}

/** Secrets that are ours, or would be. */
export function writtenLines({ adopted, own, created }: SecretSurvey): readonly string[] {
  return [
    ...some(
      adopted,
      `${count(adopted.length, 'Secret')} would be adopted in place, same name, same UID, as soon as there is a credential for every registry: ${places(adopted)}.`,
    ),
    ...some(own, `${count(own.length, 'Secret')} ${own.length === 1 ? 'is' : 'are'} ours already: ${places(own)}.`),
    ...some(created, `${count(created.length, 'Secret')} would be new: ${listed(created.map(placeOf))}.`),
  ];
}

/** A Secret that stays as it is; `why` = the reason unless its type is wrong. */
export function takenLine(secret: FoundSecret, foreign: string): string {
  const why = hasWrongType(secret)
    ? `its type is ${plain(secret.type === '' ? 'another one' : secret.type)}, which only deleting it can change`
    : foreign;
  return `The Secret ${placeOf(secret)} would not be touched (NameTaken), and nothing is written there in its place: ${why}.`;
}

/** What becomes of references. */
export function referenceLines(
  { serviceAccounts }: Pick<TakeOverFacts, 'serviceAccounts'>,
  { references }: Survey,
): readonly string[] {
  if (!serviceAccounts.ok) return [`References: the ServiceAccounts could not be read: ${serviceAccounts.cure}.`];
  if (references === undefined) return [];
  const { kept, added, stale } = references;
  return [
    `${count(kept, 'ServiceAccount')} ${kept === 1 ? 'refers' : 'refer'} to such a Secret already: the reference stays where it is, is not doubled, and stays its owner's: ours never removes it, not even when the namespace leaves the scope or by \`cleanup\`.`,
    `${count(added, 'ServiceAccount')} would get a reference, after the entries that are there.`,
    ...(stale.length === 0
      ? []
      : [
          `${count(stale.length, 'ServiceAccount')} ${stale.length === 1 ? 'refers' : 'refer'} to a Secret that is left: ${listed(stale.map(placeOf))}. A reference to a Secret that is gone does no harm; whoever wants it gone edits \`imagePullSecrets\`.`,
        ]),
  ];
}

/** Whether our own installation runs. */
export function ownLine({
  holder,
  instance,
  namespace,
}: Pick<TakeOverFacts, 'holder' | 'instance' | 'namespace'>): string {
  const lease = `Lease ${namespace}/${leaseName(instance)}`;
  const own = holder.ok
    ? holder.value === undefined
      ? `nobody holds the ${lease}: it does not run yet`
      : `it runs already: ${plain(holder.value)} holds the ${lease}`
    : `the ${lease} could not be read: ${holder.cure}`;
  return `Our own installation, instance ${instance}: ${own}.`;
}

/** The Secrets as people name them. */
export function places(secrets: readonly FoundSecret[]): string {
  return listed(secrets.map(placeOf));
}
