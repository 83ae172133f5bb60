// Renews what was made from a Secret that has changed, and wakes every namespace when a credential is made from something else.
import type { CredentialRequest, SecretReference } from '../core/types.ts';
import type { CredentialStore } from '../credentials/store.ts';

/** So many are remembered before what the store holds no more is looked for. */
const ROOM = 100;

/** The handlers of such changes. */
export interface SourceChanges {
  /** The Secret of an identity or of a static password changed. */
  readonly onSourceChanged: (reference: SecretReference) => void;
  /** A fetch ended. */
  readonly onSettled: (cacheKey: string) => void;
  /** Compares what was loaded from the master copy with what it was made from: the Secrets may have changed while nobody looked. */
  readonly verifyLoaded: () => void;
  /** Asks again for what changed and could not be renewed: its Secrets are fresh, so no namespace would. */
  readonly retryUnverified: () => void;
}

/** Builds the handlers. `requests`: those of the configuration in force. */
export function createSourceChanges(world: {
  readonly store: () => Pick<CredentialStore, 'current' | 'resolve' | 'secretChanged' | 'unverified'>;
  readonly requests: () => readonly CredentialRequest[];
  /** False on replicas that do not lead: they ask no cloud. */
  readonly leading: () => boolean;
  /** The credential has another source than before: every namespace may hold the old one. */
  readonly onOtherSource: () => void;
}): SourceChanges {
  const known = new Map<string, string>();
  let room = ROOM;

  /** Names of resources come and go: what nobody holds any more is forgotten, so that it stays as small as the store is. */
  const remember = (cacheKey: string, source: string): void => {
    known.set(cacheKey, source);
    if (known.size <= room) return;
    for (const key of known.keys()) if (world.store().current(key) === undefined) known.delete(key);
    room = Math.max(ROOM, 2 * known.size);
  };
  const ask = (isAffected: (request: CredentialRequest) => boolean): void => {
    if (!world.leading()) return;
    const wanted = world.requests().filter(isAffected);
    void world.store().resolve(wanted.map((request) => ({ request, newerThan: undefined })));
  };
  return {
    onSourceChanged(reference) {
      const affected = new Set(world.store().secretChanged(reference));
      ask((request) => affected.has(request.cacheKey));
    },
    onSettled(cacheKey) {
      const source = world.store().current(cacheKey)?.source;
      if (source === undefined || known.get(cacheKey) === source) return;
      remember(cacheKey, source);
      world.onOtherSource();
    },
    retryUnverified() {
      const unverified = new Set(world.store().unverified());
      if (unverified.size > 0) ask((request) => unverified.has(request.cacheKey));
    },
    verifyLoaded() {
      const held = (request: CredentialRequest): string | undefined => world.store().current(request.cacheKey)?.source;
      for (const request of world.requests()) {
        const source = held(request);
        if (source !== undefined) remember(request.cacheKey, source);
      }
      ask((request) => held(request) !== undefined);
    },
  };
}
