// How often a caller may call an action: a bucket of tokens for each user and action, full at first (tcr.md section 11).

/** Takes one call out of a bucket, which holds the calls of one second; false when it is empty. `now` is epoch ms. */
export function takeFromBucket(
  buckets: Map<string, { tokens: number; at: number }>,
  { name, rate, now }: { readonly name: string; readonly rate: number; readonly now: number },
): boolean {
  const held = buckets.get(name) ?? { tokens: rate, at: now };
  const tokens = Math.min(rate, held.tokens + (Math.max(0, now - held.at) * rate) / 1000);
  const isTaken = tokens >= 1;
  buckets.set(name, { tokens: isTaken ? tokens - 1 : tokens, at: now });
  return isTaken;
}
