// Reads durations as the vendors' guides write them.

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds of a Go duration (`15m`, `1h30m`, `900s`, `1.5h`), also `15min` and `15 m`, which the vendors' guides print.
 * Undefined when it is not one, has no unit, is negative or zero.
 * Grammar: https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  const compact = text.trim().replace(/\s+/g, '');
  if (
    !/^\+?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|min|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|min|s|m|h))*$/.test(compact)
  ) {
    return undefined;
  }
  let total = 0;
  for (const [, amount, unit] of compact.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|min|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  }
  return total > 0 && Number.isFinite(total) ? total : undefined;
}
