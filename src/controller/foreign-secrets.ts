// Remembers foreign Secrets that we met under a name we wanted. Our watch selects our labels, so it never shows them; after a
// while they are forgotten, and the next attempt to create tells whether they are still there.
import type { EpochMs, ObservedSecret } from '../core/types.ts';

/** How long a sighting is believed, milliseconds; shorter than the planner's own pause, so that its next look is a fresh one. */
const BELIEVED_MS = 590_000;
/** Most sightings that are kept. */
const MAX_SIGHTINGS = 10_000;

/** Sightings by namespace and name. */
export class ForeignSecrets {
  readonly #byNamespace = new Map<string, Map<string, { readonly secret: ObservedSecret; readonly seenAt: EpochMs }>>();
  #size = 0;

  /** A read of one name found this Secret. */
  remember(secret: ObservedSecret, now: EpochMs): void {
    if (this.#size >= MAX_SIGHTINGS) this.clear();
    const names = this.#byNamespace.get(secret.namespace) ?? new Map<string, never>();
    if (!names.has(secret.name)) this.#size += 1;
    this.#byNamespace.set(secret.namespace, new Map([...names, [secret.name, { secret, seenAt: now }]]));
  }

  /** It was adopted, or a write under its name failed: look again. */
  forget(namespace: string, name: string): void {
    const names = this.#byNamespace.get(namespace);
    if (names?.delete(name) !== true) return;
    this.#size -= 1;
    if (names.size === 0) this.#byNamespace.delete(namespace);
  }

  /** The namespace is gone. */
  forgetNamespace(namespace: string): void {
    this.#size -= this.#byNamespace.get(namespace)?.size ?? 0;
    this.#byNamespace.delete(namespace);
  }

  /** Everything goes, e.g. when the configuration changed. */
  clear(): void {
    this.#byNamespace.clear();
    this.#size = 0;
  }

  /** Sightings that are still believed. */
  inNamespace(namespace: string, now: EpochMs): ReadonlyMap<string, ObservedSecret> {
    const names = this.#byNamespace.get(namespace);
    if (names === undefined) return new Map();
    // One that was seen in the future comes from a clock that was set back.
    for (const [name, { seenAt }] of names) if (Math.abs(now - seenAt) > BELIEVED_MS) this.forget(namespace, name);
    return new Map([...names].map(([name, { secret }]) => [name, secret]));
  }
}
