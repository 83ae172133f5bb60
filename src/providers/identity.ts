// How we authenticate to a cloud: what every identity source of every cloud yields.
import type { KeyStory } from './assumed-session.ts';
import type { ProviderWorld } from './provider.ts';

/** Where an identity is needed. */
export interface IdentityPlace {
  /** Region whose services are asked. */
  readonly region: string;
}

/** One way to come by a key. */
export interface CloudIdentity<Key extends KeyStory> {
  /** Equal for the same identity; holds no secret. */
  readonly key: string;
  /**
   * Throws ProviderError: `IdentityUnavailable` when something is missing, saying what and how to create it; what the cloud
   * refused otherwise, naming the hop.
   */
  fetchKey(world: ProviderWorld, place: IdentityPlace, signal: AbortSignal): Promise<Key>;
}
