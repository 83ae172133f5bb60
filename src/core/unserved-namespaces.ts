// What the configuration or a resource names by name, and an installation that serves only listed namespaces does not serve.
import type { ParsedResource } from './image-pull-secret.ts';
import { matchesName } from './scope.ts';
import type { Config, Issue, Parsed, Rule } from './types.ts';

/** Most names in one message. */
const MAX_SHOWN = 10;

/** Adds a warning to the configuration for what its rules name in vain. `served`: undefined = every namespace. */
export function withUnserved(parsed: Parsed<Config>, served: readonly string[] | undefined): Parsed<Config> {
  if (!parsed.ok) return parsed;
  return { ...parsed, issues: [...parsed.issues, ...remarks('watch-namespace', parsed.value.rules, served)] };
}

/** The same for a resource. */
export function withUnservedNames(parsed: ParsedResource, served: readonly string[] | undefined): ParsedResource {
  const rules = parsed.rule === undefined ? [] : [parsed.rule];
  return { ...parsed, issues: [...parsed.issues, ...remarks('spec.namespaces', rules, served)] };
}

/** Of patterns and selectors nothing is said: whoever writes them means whatever is there. */
function remarks(path: string, rules: readonly Rule[], served: readonly string[] | undefined): readonly Issue[] {
  if (served === undefined) return [];
  const known = new Set(served);
  const named = rules.flatMap(({ scope: { namespaces } }) =>
    [...namespaces.names].filter((name) => !known.has(name) && matchesName(namespaces, name)),
  );
  const names = [...new Set(named)].sort();
  if (names.length === 0) return [];
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
  const message =
    `names what this installation does not serve, so that nothing is written there: ${names.slice(0, MAX_SHOWN).join(', ')}${more}; ` +
    'add it to --namespaces and give it the Role of docs/rbac-namespaced.yaml, or take it out here';
  return [{ severity: 'warning', path, message }];
}
