// Flags that name one object of a namespace: `NAMESPACE/NAME`.

/** Namespace and name. */
export interface ObjectPlace {
  readonly namespace: string;
  readonly name: string;
}

/** Reads the text of `flag`; what is wrong goes to `issues`, with `example`. */
export function parseObjectPlace(
  text: string | undefined,
  { flag, example, issues }: { readonly flag: string; readonly example: string; readonly issues: string[] },
): ObjectPlace | undefined {
  if (text === undefined) return undefined;
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (namespace !== '' && name !== '' && rest.length === 0) return { namespace, name };
  issues.push(`--${flag}=${text} must be NAMESPACE/NAME, e.g. ${example}`);
  return undefined;
}
