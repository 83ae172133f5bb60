// Rules -> what one namespace should hold.
import { includesNamespace, type Named } from './scope.ts';
import type { Config, Desired } from './types.ts';

/** The Secrets that `namespace` should hold: one for each rule that reaches it; none when none does. */
export function desiredFor(config: Pick<Config, 'rules'>, namespace: Named): Desired {
  const rules = config.rules.filter((rule) => rule.requests.length > 0 && includesNamespace(rule.scope, namespace));
  return { secrets: rules.map((rule) => ({ name: rule.secretName, rule })) };
}
