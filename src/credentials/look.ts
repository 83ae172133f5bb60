// Whether the Secrets that a credential was made from are still the same: read, and compared; no cloud is asked.
import type { Entry, Look } from './entry.ts';
import { ABSENT, type StoredCredential } from './snapshot.ts';
import type { StoreWorld } from './store-options.ts';

/** Finds out `entry.secrets` when it is `unknown`; it stays so when a Secret cannot be read. Never throws. */
export async function compare(
  entry: Entry,
  look: Pick<Look, 'changes'>,
  world: Pick<StoreWorld, 'readSecret'>,
): Promise<void> {
  for (let { held } = entry; held !== undefined && entry.secrets === 'unknown'; { held } = entry) {
    const { changes } = look;
    const secrets = await secretsOf(held, world);
    // Changed meanwhile: what was read may be older than that.
    if (look.changes !== changes || entry.held !== held) continue;
    entry.secrets = secrets;
    return;
  }
}

async function secretsOf(
  { revisions }: StoredCredential,
  world: Pick<StoreWorld, 'readSecret'>,
): Promise<Entry['secrets']> {
  const { signal } = new AbortController();
  try {
    for (const { reference, digest } of revisions) {
      const read = await world.readSecret(reference, signal);
      if ((read?.digest ?? ABSENT) !== digest) return 'other';
    }
    return 'same';
  } catch {
    // What is held serves on, and the next request looks again.
    return 'unknown';
  }
}
