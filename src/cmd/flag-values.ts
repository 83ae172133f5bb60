// What the text of a flag stands for, where several flags share a form. What is wrong goes to `issues`, with the flag and the value.

/**
 * A `true|false` flag, in any case of letters; `texts` are the flags by name as they were written; `fallback` where it is not written or
 * is neither.
 */
export function parseSwitch(
  texts: ReadonlyMap<string, string>,
  name: string,
  { fallback = false, issues }: { readonly fallback?: boolean; readonly issues: string[] },
): boolean {
  const word = parseChoice(name, texts.get(name) ?? `${fallback}`, ['true', 'false'], issues);
  return word === undefined ? fallback : word === 'true';
}

/** One of `allowed`, in any case of letters; undefined = none of them. */
export function parseChoice<const T extends string>(
  name: string,
  text: string,
  allowed: readonly T[],
  issues: string[],
): T | undefined {
  const found = allowed.find((value) => value === text.toLowerCase());
  if (found === undefined) issues.push(`--${name}=${text} must be one of ${allowed.join(', ')}`);
  return found;
}
