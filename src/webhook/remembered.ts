// What is derived from something that is read often and changes seldom.

/** Derives something from what is read, again only when that is another one. */
export function remembered<S, T>(read: () => S, derive: (source: S) => T): () => T {
  let last: { readonly source: S; readonly derived: T } | undefined;
  return () => {
    const source = read();
    if (last === undefined || last.source !== source) last = { source, derived: derive(source) };
    return last.derived;
  };
}
