// Values by their paths, and put together.
import type { Values } from './helm.ts';

/** A value at a path such as `image.tag`. */
export function nested(path: string, value: unknown): Values {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Values;
}

/** Both, `b` before `a`; maps that both have become one. */
export function merge(a: Values, b: Values): Values {
  const isMap = (value: unknown): value is Values =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const shared = Object.keys(b).map((name) => {
    const [one, other] = [a[name], b[name]];
    return [name, isMap(one) && isMap(other) ? merge(one, other) : other] as const;
  });
  return { ...a, ...Object.fromEntries(shared) };
}
