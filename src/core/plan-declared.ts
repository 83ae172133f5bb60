// What to do so that there are the resources that are declared, and no others of ours: one pure function.
import type { DeclaredResource, Declarations } from './declared-resources.ts';
import { isDeclared, MANAGER } from './names.ts';
import type { Skip } from './plan-types.ts';
import { sameJson } from './same-json.ts';
import type { EpochMs } from './types.ts';

/** A resource as far as planning reads it. */
export interface FoundResource {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Unchecked. May hold a password. */
  readonly spec: unknown;
}

/** Why a resource is written: the same word in log, metric and test. */
export type DeclarationReason = 'ResourceMissing' | 'ResourceDiffers' | 'ResourceUnwanted';

/** One planned API call. */
export type DeclarationWrite =
  | { readonly kind: 'create-resource'; readonly resource: DeclaredResource; readonly reason: 'ResourceMissing' }
  | {
      readonly kind: 'update-resource';
      readonly resource: DeclaredResource;
      readonly found: FoundResource;
      readonly reason: 'ResourceDiffers';
    }
  | { readonly kind: 'delete-resource'; readonly found: FoundResource; readonly reason: 'ResourceUnwanted' };

/** What we wrote last to a resource, and what the API server made of it. */
export interface WrittenResource {
  readonly uid: string;
  readonly generation: number;
  readonly spec: DeclaredResource['spec'];
}

/** Everything that the decision needs. */
export interface DeclarationWorld {
  /** undefined = the Secret is not there, or was not looked for: nothing is known. */
  readonly declarations: Declarations | undefined;
  readonly found: readonly FoundResource[];
  readonly instance: string;
  /** By name. A definition that is not ours may drop parts of a spec: what we wrote would differ for ever. */
  readonly written: ReadonlyMap<string, WrittenResource>;
  /** By name: until when another writer's, or the API server's, resistance makes us wait. */
  readonly contendedUntil: ReadonlyMap<string, EpochMs>;
  readonly refusedUntil: ReadonlyMap<string, EpochMs>;
}

/** The decision. */
export interface DeclarationPlan {
  readonly writes: readonly DeclarationWrite[];
  readonly skips: readonly Skip[];
  /** When to look again although nothing changed; undefined = never. */
  readonly nextCheckAt: EpochMs | undefined;
}

/**
 * Decides.
 *
 * | Resource | and | then |
 * |---|---|---|
 * | none | declared | create |
 * | made by us | declared otherwise, or edited | update in place |
 * | made by us | declared so | nothing |
 * | made by us | its item cannot be used, or whether it has one cannot be told | leave |
 * | made by us | not declared any more | delete |
 * | somebody else's | declared | leave (`NameTaken`) |
 * | any | another writer undoes it again and again | wait (`Contended`) |
 * | any | the API server refused the last write | wait (`WriteRefused`) |
 */
export function planDeclarations(world: DeclarationWorld): DeclarationPlan {
  const { declarations, found, instance } = world;
  if (declarations === undefined) return { writes: [], skips: [], nextCheckAt: undefined };
  const byName = new Map(found.map((resource) => [resource.name, resource]));
  const declared = new Set(declarations.resources.map(({ name }) => name));
  const skips: Skip[] = [];
  const wanted = declarations.resources.flatMap((resource): readonly DeclarationWrite[] => {
    const live = byName.get(resource.name);
    if (live === undefined) return [{ kind: 'create-resource', resource, reason: 'ResourceMissing' }];
    if (!isDeclared(live, instance)) {
      skips.push(nameTaken(live));
      return [];
    }
    if (isRight(resource, live, world.written.get(resource.name))) return [];
    return [{ kind: 'update-resource', resource, found: live, reason: 'ResourceDiffers' }];
  });
  const unwanted = found.filter(
    (live) => isDeclared(live, instance) && !declared.has(live.name) && !declarations.kept.has(live.name),
  );
  const removals = (declarations.areAll ? unwanted : []).map((live): DeclarationWrite => ({
    kind: 'delete-resource',
    found: live,
    reason: 'ResourceUnwanted',
  }));
  return heldBack([...wanted, ...removals], skips, world);
}

/** Name of the resource that a write is about. */
export function nameOfWrite(write: DeclarationWrite): string {
  return write.kind === 'delete-resource' ? write.found.name : write.resource.name;
}

function heldBack(
  writes: readonly DeclarationWrite[],
  skips: readonly Skip[],
  { contendedUntil, refusedUntil }: DeclarationWorld,
): DeclarationPlan {
  const waiting: Skip[] = [];
  const checks: EpochMs[] = [];
  const ready = writes.filter((write) => {
    const name = nameOfWrite(write);
    const uid = write.kind === 'create-resource' ? undefined : write.found.uid;
    const contended = contendedUntil.get(name);
    const refused = refusedUntil.get(name);
    const until = contended ?? refused;
    if (until === undefined) return true;
    checks.push(until);
    const message =
      contended === undefined
        ? `ImagePullSecret ${name} may not be written: waiting before trying again`
        : `ImagePullSecret ${name} is edited, deleted or put back by another writer again and again: waiting before writing it`;
    waiting.push({ reason: contended === undefined ? 'WriteRefused' : 'Contended', name, uid, message });
    return false;
  });
  return {
    writes: ready,
    skips: [...skips, ...waiting],
    nextCheckAt: checks.length === 0 ? undefined : Math.min(...checks),
  };
}

function isRight({ spec }: DeclaredResource, live: FoundResource, written: WrittenResource | undefined): boolean {
  if (sameJson(spec, live.spec)) return true;
  // What the API server made of it, or what it was before our write, which the watch has not shown yet.
  return written?.uid === live.uid && live.generation <= written.generation && sameJson(written.spec, spec);
}

function nameTaken({ name, uid }: FoundResource): Skip {
  const message = `ImagePullSecret ${name} is declared, but was not made by ${MANAGER}: it is left alone. Rename the item or the resource, or hand it over by our labels`;
  return { reason: 'NameTaken', name, uid, message };
}
