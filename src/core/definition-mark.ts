// Under which definition the resource of a Secret was known: it tells what was left behind from what went with its definition.
import { isOwn, RESOURCE_SECRET_PREFIX } from './names.ts';
import type { Write } from './plan-types.ts';
import type { Desired, Observed, ObservedSecret } from './types.ts';

type Unknown = Pick<Desired, 'unknown'>;

/** UID of the definition that a Secret of this name bears when we write it; undefined = none. */
export function definitionFor(secretName: string, { unknown }: Unknown): string | undefined {
  return secretName.startsWith(RESOURCE_SECRET_PREFIX) ? unknown?.definition : undefined;
}

/**
 * The same, with the Secrets from an earlier definition among those that may be wanted: whoever removes the definition, and makes it
 * anew, must not lose what its resources had brought. A resource that is known says all about its Secrets, whatever they bear.
 */
export function withEarlier(desired: Desired, { secrets }: Pick<Observed, 'secrets'>): Desired {
  const { unknown } = desired;
  if (unknown === undefined) return desired;
  const earlier = [...secrets.values()].filter(
    (secret) => isOtherwise(secret, desired) && !isGoverned(secret, desired),
  );
  if (earlier.length === 0) return desired;
  const secretNames = new Set([...unknown.secretNames, ...earlier.map(({ name }) => name)]);
  return { ...desired, unknown: { ...unknown, secretNames } };
}

/**
 * The writes that let Secrets bear the definition under which their resource is known now, whether that is understood or not; their
 * content stays, so that it takes no credential. `others`: names of those that are written, or deleted, anyway.
 */
export function planMarks(
  desired: Desired,
  { secrets }: Pick<Observed, 'secrets'>,
  by: { readonly instance: string; readonly others: ReadonlySet<string> },
): readonly Write[] {
  return [...secrets.values()].flatMap((secret): readonly Write[] => {
    const { namespace, name, uid, resourceVersion } = secret;
    const definition = definitionFor(name, desired);
    if (definition === undefined || !isOtherwise(secret, desired) || !isGoverned(secret, desired)) return [];
    if (by.others.has(name) || !isOwn(secret, by.instance)) return [];
    return [{ kind: 'mark-secret', namespace, name, uid, resourceVersion, definition, reason: 'DefinitionChanged' }];
  });
}

function isOtherwise({ name, definition }: ObservedSecret, desired: Unknown): boolean {
  const present = definitionFor(name, desired);
  return present !== undefined && definition !== present;
}

function isGoverned({ name }: ObservedSecret, { unknown }: Unknown): boolean {
  return unknown?.governed?.has(name) === true;
}
