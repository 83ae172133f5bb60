// Rules -> what one namespace should hold.
import { RESOURCE_SECRET_PREFIX } from './names.ts';
import { includesNamespace, type Named } from './scope.ts';
import type { Config, Desired, Observed } from './types.ts';

/** The Secrets that `namespace` should hold: one for each rule that reaches it; none when none does. */
export function desiredFor(config: Pick<Config, 'rules' | 'unknown'>, namespace: Named): Desired {
  const rules = config.rules.filter((rule) => rule.requests.length > 0 && includesNamespace(rule.scope, namespace));
  return { secrets: rules.map((rule) => ({ name: rule.secretName, rule })), unknown: config.unknown };
}

/** True when a rule that is not known at the moment may want the Secret: then it is not removed, nor are references to it. */
export function mayBeWanted(secretName: string, { unknown }: Pick<Desired, 'unknown'>): boolean {
  if (unknown === undefined) return false;
  if (!secretName.startsWith(RESOURCE_SECRET_PREFIX)) return unknown.configMap;
  return unknown.resources || unknown.secretNames.has(secretName);
}

/**
 * The same, with the Secrets that are older than the definition of the resources among those that may be wanted: whoever removes the
 * definition, and makes it anew, must not lose what its resources had brought.
 */
export function withEarlier(desired: Desired, { secrets }: Pick<Observed, 'secrets'>): Desired {
  const { unknown } = desired;
  const { definedAt, deleted } = unknown ?? {};
  if (unknown === undefined || definedAt === undefined) return desired;
  const earlier = [...secrets.values()].filter(
    ({ name, updatedAt }) =>
      name.startsWith(RESOURCE_SECRET_PREFIX) &&
      updatedAt !== undefined &&
      updatedAt < definedAt &&
      deleted?.has(name) !== true,
  );
  if (earlier.length === 0) return desired;
  return {
    ...desired,
    unknown: { ...unknown, secretNames: new Set([...unknown.secretNames, ...earlier.map(({ name }) => name)]) },
  };
}
