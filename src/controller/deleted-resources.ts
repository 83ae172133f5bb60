// What must be remembered of deleted resources: whose Secrets do not all bear the definition under which they were known. Nothing
// else tells those from what went with an earlier definition.
import { resourceSecretName } from '../core/names.ts';
import type { ResourceChange } from '../kube/resource-objects.ts';
import type { Caches } from './observe.ts';

/** The names. There are never more than names of Secrets from earlier definitions. */
export class DeletedResources {
  readonly #caches: () => Pick<Caches, 'namespaces' | 'secrets'>;
  readonly #names = new Set<string>();
  #definition: string | undefined;

  constructor(caches: () => Pick<Caches, 'namespaces' | 'secrets'>) {
    this.#caches = caches;
  }

  /** Those that were deleted under this definition, and are not there again. */
  under(definition: string | undefined): ReadonlySet<string> {
    if (definition !== this.#definition) this.#names.clear();
    this.#definition = definition;
    return new Set(this.#names);
  }

  /**
   * Takes a change over, of a resource that is, or was, known under `definition`. True = it came or went, and somewhere there is a Secret
   * of an earlier one of its name: what that reached no rule says any more. While it `isListed` with all others, that is not looked for.
   */
  take(
    { before, after, isDeleted = false }: ResourceChange,
    { definition, isListed }: { readonly definition: string | undefined; readonly isListed: boolean },
  ): boolean {
    this.under(definition);
    const name = (after ?? before)?.name ?? '';
    const isOfInterest = after === undefined ? isDeleted : before === undefined && !isListed;
    const hasEarlier = isOfInterest && this.#hasEarlier(name);
    if (after !== undefined) this.#names.delete(name);
    else if (hasEarlier) this.#names.add(name);
    return hasEarlier;
  }

  #hasEarlier(name: string): boolean {
    const { namespaces, secrets } = this.#caches();
    const secretName = resourceSecretName(name);
    for (const namespace of namespaces.all()) {
      const secret = secrets.get(namespace.name, secretName);
      if (secret !== undefined && secret.definition !== this.#definition) return true;
    }
    return false;
  }
}
