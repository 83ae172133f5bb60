// What resources were before the vendor's add-on began to run: it writes their statuses anew, without what tells that of ours.
import { claimOf, type Claim, type Standing } from '../core/resource-conflicts.ts';
import type { Resource } from '../kube/resource-objects.ts';

interface Stood {
  readonly standing: Standing;
  readonly generation: number;
}

/**
 * The claims of resources, in this process. A process that begins while the add-on runs knows less: those whose statuses it has written
 * anew count as new. Then the key goes before what would publish it (`conflictsAmong`), so that no key gets out; but whoever names as
 * its key what was published before is served in the place of that.
 */
export class Standings {
  /** By UID. */
  #stood: ReadonlyMap<string, Stood> = new Map();

  /** The vendor's add-on begins to run: what the statuses tell by now is remembered. */
  remember(resources: readonly Resource[]): void {
    this.#stood = new Map(
      resources.map((resource) => {
        const { standing } = this.claimOf(resource);
        return [resource.uid, { standing, generation: resource.generation }] as const;
      }),
    );
  }

  /** As its status tells; where that tells nothing any more, as it was before. */
  claimOf(resource: Resource): Claim {
    const claim = claimOf(resource);
    const stood = this.#stood.get(resource.uid);
    if (claim.standing !== 'new' || stood === undefined) return claim;
    const isEdited = stood.standing === 'served' && stood.generation !== resource.generation;
    return { ...claim, standing: isEdited ? 'edited' : stood.standing };
  }
}
