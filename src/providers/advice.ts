// What is said of failures that are the same in every cloud.

/** Of what was throttled. */
export const SLOW_DOWN = 'the cloud asks to slow down; it will be asked again';

/** Of what will pass. */
export const CLOUD_PROBLEM = 'the cloud has a problem of its own; it will be asked again';

/** Of a session that is over. */
export function sessionAdvice({ origin }: { readonly origin: string }): string {
  return `the session from ${origin} has expired or was refused; a new one will be asked for`;
}

/** Of a code that no table has. */
export const UNKNOWN_CODE = 'this code is not known here: its meaning stands in the cloud’s documentation';

/** Of a clock that is off by `skewMs` (the cloud's less ours) where `toleranceMinutes` are accepted. */
export function clockAdvice(skewMs: number | undefined, toleranceMinutes: number): string {
  const minutes = skewMs === undefined ? 0 : Math.round(Math.abs(skewMs) / 60_000);
  const off = skewMs === undefined || minutes === 0 ? 'is off' : `is ${minutes} min ${skewMs > 0 ? 'behind' : 'ahead'}`;
  return `the clock of this node ${off}, and the cloud accepts ${toleranceMinutes} min: check its time synchronisation`;
}
