// Carries a plan out: one guarded call for each write, failures isolated, deletions only after what must precede them.
import { disposition, KubeError } from '../core/errors.ts';
import type { Plan, Write } from '../core/plan-types.ts';

/** A write that changes references. */
export type ReferenceWrite = Extract<Write, { kind: 'patch-service-account' }>;

/** Makes one API call for a write and returns the server's answer: the object as it is now. Throws KubeError. */
export type MakeWrite = (write: Write, signal: AbortSignal) => Promise<unknown>;

/** Runs calls with bounded concurrency; urgent ones overtake. */
export interface WriteLane {
  run<T>(priority: 'urgent' | 'normal', call: () => Promise<T>): Promise<T>;
}

/** A write that failed. */
export interface FailedWrite {
  readonly write: Write;
  readonly error: unknown;
}

/** What became of a plan. */
export interface Applied {
  readonly done: readonly Write[];
  readonly failed: readonly FailedWrite[];
  /** Writes that were not tried, because one that had to precede them failed. */
  readonly held: readonly Write[];
}

/**
 * Applies the writes of a plan. Never throws: failures are collected. A reference is added only if the Secret it names was
 * written, whatever became of other Secrets; one is removed only if all that come in the same write could be added; a Secret is
 * deleted only if every reference to it could be removed. `onWritten` gets each answer at once, so that the caches know of our
 * own writes before their watch tells.
 */
export async function applyPlan(
  plan: Pick<Plan, 'writes'>,
  world: {
    readonly makeWrite: MakeWrite;
    readonly lane: WriteLane;
    readonly onWritten: (write: Write, answer: unknown) => void;
    readonly signal: AbortSignal;
  },
): Promise<Applied> {
  const done: Write[] = [];
  const failed: FailedWrite[] = [];
  const held: Write[] = [];

  const attempt = async (write: Write): Promise<void> => {
    try {
      const answer = await world.lane.run(isUrgent(write) ? 'urgent' : 'normal', () => {
        world.signal.throwIfAborted();
        return world.makeWrite(write, world.signal);
      });
      world.onWritten(write, answer);
      done.push(write);
    } catch (error) {
      failed.push({ write, error: world.signal.aborted ? new KubeError('Aborted', 'Writing was stopped') : error });
    }
  };
  /** Attempts all at a time what `allowed` makes of the writes; undefined holds one. */
  const phase = async <W extends Write>(
    writes: readonly W[],
    allowed: (write: W) => W | undefined = (write) => write,
  ): Promise<void> => {
    const runnable = writes.flatMap((write) => {
      const run = allowed(write);
      if (run === undefined) held.push(write);
      return run ?? [];
    });
    await Promise.all(runnable.map(attempt));
  };
  const failedSecrets = (): ReadonlySet<string> =>
    new Set(failed.flatMap(({ write }) => (write.kind === 'patch-service-account' ? [] : [write.name])));
  const keptReferences = (): ReadonlySet<string> => {
    const there = failed.flatMap(({ write, error }) => (isGone(error) ? [] : [write]));
    return new Set([...there, ...held].flatMap((write) => (isReference(write) ? write.removed : [])));
  };

  const references = plan.writes.filter(isReference);
  await phase(ofKinds(plan, 'create-secret', 'replace-secret'));
  const broken = failedSecrets();
  await phase(
    references.filter((write) => write.added.length > 0),
    (write) => withoutBroken(write, broken),
  );
  await phase(ofKinds(plan, 'update-secret', 'mark-secret'));
  await phase(references.filter((write) => write.added.length === 0));
  const kept = keptReferences();
  await phase(ofKinds(plan, 'delete-secret'), (write) => (kept.has(write.name) ? undefined : write));
  return { done, failed, held };
}

/** True for failures that mean only that the world moved: plan again. */
export function isReplan(error: unknown): boolean {
  return disposition(error).kind === 'replan';
}

function isReference(write: Write): write is ReferenceWrite {
  return write.kind === 'patch-service-account';
}

/**
 * The write as it may be made while the Secrets `broken` could not be written; undefined = not at all, because nothing is left
 * of it, or because what it removes may be the predecessor of what is missing.
 */
function withoutBroken(write: ReferenceWrite, broken: ReadonlySet<string>): ReferenceWrite | undefined {
  const missing = new Set(write.added.filter((name) => broken.has(name)));
  if (missing.size === 0) return write;
  if (missing.size === write.added.length || write.removed.length > 0) return undefined;
  const isSound = (name: string): boolean => !missing.has(name);
  return {
    ...write,
    imagePullSecrets: write.imagePullSecrets.filter(isSound),
    recorded: write.recorded.filter(isSound),
    added: write.added.filter(isSound),
  };
}

/** Who has nothing yet goes before rotation and clean-up. */
function isUrgent(write: Write): boolean {
  return write.kind === 'create-secret' || (isReference(write) && write.added.length > 0);
}

/** A ServiceAccount that is gone holds no reference. */
function isGone(error: unknown): boolean {
  return error instanceof KubeError && error.reason === 'NotFound';
}

function ofKinds(plan: Pick<Plan, 'writes'>, ...kinds: readonly Write['kind'][]): readonly Write[] {
  return plan.writes.filter((write) => kinds.includes(write.kind));
}
