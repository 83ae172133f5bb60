// Rules -> what one namespace should hold.
import { RESOURCE_SECRET_PREFIX } from './names.ts';
import { includesNamespace, type Named } from './scope.ts';
import type { Config, Desired } from './types.ts';

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
