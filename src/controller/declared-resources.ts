// Keeps the `ImagePullSecret` resources as a Secret of our own namespace declares them: followed by every replica, written by the leader.
import { parseDeclarations, type Declarations, type SpecParser } from '../core/declared-resources.ts';
import { disposition, KubeError } from '../core/errors.ts';
import {
  nameOfWrite,
  planDeclarations,
  type DeclarationWrite,
  type FoundResource,
  type WrittenResource,
} from '../core/plan-declared.ts';
import type { Skip } from '../core/plan-types.ts';
import type { EpochMs } from '../core/types.ts';
import type { KubeClient, KubeObject } from '../kube/client.ts';
import { writeDeclaration } from '../kube/declaration-writes.ts';
import { Loop } from '../kube/loop.ts';
import { dataOf, followObject, secretPlace } from '../kube/one-object.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import { projectResource, uidOf } from '../kube/resource-objects.ts';
import { Contention } from './contention.ts';
import { Refusals } from './refusals.ts';
import { aborted } from './until.ts';

/** What is told; by the leader alone. */
export interface DeclarationObserver {
  /** The Secret was read, or read again after an edit; undefined = there is none. */
  readonly onDeclarations: (declarations: Declarations | undefined, secretUid: string) => void;
  readonly onDeclarationWrite: (write: DeclarationWrite) => void;
  readonly onDeclarationFailure: (write: DeclarationWrite, error: unknown) => void;
  /** Everything that is left alone now, and why. */
  readonly onDeclarationSkips: (skips: readonly Skip[]) => void;
}

export interface DeclaredResourcesOptions {
  readonly client: KubeClient;
  readonly instance: string;
  /** The Secret; it need not be there. */
  readonly secret: { readonly namespace: string; readonly name: string };
  readonly parseSpec: SpecParser;
  /** Those that are there; undefined = they are not known, or somebody else's for now. */
  readonly found: () => readonly FoundResource[] | undefined;
  /** Another number each time the definition may have learnt fields: what it dropped of a resource is written again. */
  readonly definition: () => number;
  /** Settles when it is known which there are, and whose. */
  readonly whenAsked: () => Promise<unknown>;
  /** Takes passwords for redaction, before anything is said or written. */
  readonly register: (key: string, passwords: readonly string[]) => void;
  readonly observer: DeclarationObserver;
  readonly report: (event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

/** The declared resources, kept while `run` and `lead` run. */
export interface DeclaredResources {
  /** Which resources there are, or whose they are, may have changed. Costs nothing. */
  changed(): void;
  /** Follows the Secret until aborted; never throws. */
  run(signal: AbortSignal): Promise<void>;
  /** Writes until aborted; never throws. */
  lead(signal: AbortSignal): Promise<void>;
}

const RETRY_MS = 100;
const MAX_RETRY_MS = 60_000;

/** Builds it; nothing is read or written before `run` and `lead`. */
export function createDeclaredResources(options: DeclaredResourcesOptions): DeclaredResources {
  const { client, instance, secret, observer, now, random } = options;
  const place = secretPlace(secret.namespace, secret.name);
  const contention = new Contention();
  const refusals = new Refusals();
  const written = new Map<string, WrittenResource>();
  let declarations: Declarations | undefined;
  let toldOf: Declarations | undefined | 'nothing' = 'nothing';
  let definition = 0;
  /** Steps in a row in which the world had moved on. */
  let moved = 0;

  const reflector = followObject({
    client,
    place,
    onChange: () => read(),
    report: (event) => {
      if (event.type === 'synced') loop.wake();
      options.report(event);
    },
    now,
    random,
  });
  const loop = new Loop(step);

  function read(): void {
    const live = reflector.get(secret.namespace, secret.name);
    declarations = live === undefined ? undefined : parseDeclarations(dataOf(live), options.parseSpec);
    options.register(`Secret ${secret.namespace}/${secret.name}`, declarations?.passwords ?? []);
    // What was refused, or fought over, was something else.
    refusals.clear();
    loop.wake();
  }

  async function step(signal: AbortSignal): Promise<number> {
    if (!reflector.synced) return Number.POSITIVE_INFINITY;
    if (toldOf !== declarations) {
      const live = reflector.get(secret.namespace, secret.name);
      observer.onDeclarations(declarations, live === undefined ? '' : uidOf(live));
      toldOf = declarations;
    }
    if (definition !== options.definition()) {
      definition = options.definition();
      written.clear();
      // That we write the same again is nobody's resistance.
      contention.clear();
    }
    const found = options.found();
    if (found === undefined) return Number.POSITIVE_INFINITY;
    const { writes, skips, nextCheckAt } = planDeclarations({
      ...{ declarations, found, instance, written },
      contendedUntil: contention.inNamespace('', now()),
      refusedUntil: refusals.inNamespace('', now()),
    });
    observer.onDeclarationSkips(skips);
    let hasMoved = false;
    let heldUntil = nextCheckAt ?? Number.POSITIVE_INFINITY;
    for (const write of writes) {
      if (signal.aborted) return 0;
      try {
        note(write, await writeDeclaration(client, write, { instance, signal }));
      } catch (error) {
        if (disposition(error).kind === 'replan') hasMoved = true;
        else heldUntil = Math.min(heldUntil, refused(write, error));
      }
    }
    moved = hasMoved ? moved + 1 : 0;
    const retryMs = hasMoved ? Math.min(RETRY_MS * 2 ** (moved - 1), MAX_RETRY_MS) : Number.POSITIVE_INFINITY;
    return Math.min(retryMs, heldUntil - now());
  }

  /** Remembers a write that succeeded. */
  function note(write: DeclarationWrite, answer: KubeObject | undefined): void {
    const id = nameOfWrite(write);
    const live = answer === undefined ? undefined : projectResource(answer)?.value;
    const member = { namespace: '', id };
    refusals.accepted(member);
    if (live === undefined || write.kind === 'delete-resource') written.delete(id);
    else written.set(id, { uid: live.uid, generation: live.generation, spec: write.resource.spec });
    const what = write.kind === 'delete-resource' ? 'nothing' : JSON.stringify(write.resource.spec);
    contention.added({ ...member, written: what }, now());
    observer.onDeclarationWrite(write);
  }

  /** Says when to try again. */
  function refused(write: DeclarationWrite, error: unknown): EpochMs {
    if (!(error instanceof KubeError) || error.reason !== 'Aborted') observer.onDeclarationFailure(write, error);
    const until = refusals.refused({ namespace: '', id: nameOfWrite(write) }, now());
    const afterMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(until, now() + afterMs);
  }

  return {
    changed: () => loop.wake(),
    run: (signal) => reflector.run(signal),
    async lead(signal) {
      await Promise.race([options.whenAsked(), aborted(signal)]);
      // What an earlier term learnt is out of date: somebody else may have led meanwhile.
      written.clear();
      contention.clear();
      refusals.clear();
      toldOf = 'nothing';
      await loop.run(signal);
    },
  };
}
