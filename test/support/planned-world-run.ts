// Passes over a namespace in memory until nothing is written any more, and foreign writers in between.
import type { PlanSettings } from '../../src/core/assess-secret.ts';
import { desiredFor } from '../../src/core/desired.ts';
import { planNamespace } from '../../src/core/plan.ts';
import { wantedCredentials, type PlanContext } from '../../src/core/plan-secrets.ts';
import type { Plan, Write } from '../../src/core/plan-types.ts';
import type { CredentialAnswer, Desired, Rule } from '../../src/core/types.ts';
import { NOW } from './builders.ts';
import { observedSecret, type Answer, type PlannedWorld, type StoredServiceAccount } from './planned-world.ts';

/** Everything that decides what a plan is, besides the world. */
export interface Wishes {
  readonly rules: readonly Rule[];
  readonly settings: PlanSettings;
  /** By cache key. */
  readonly answers: ReadonlyMap<string, CredentialAnswer>;
}

/** Done by somebody else just before our write number `beforeWrite`. */
export interface ForeignEdit {
  readonly beforeWrite: number;
  readonly name: string;
  readonly kind: (typeof EDITS)[number];
}

export const EDITS = [
  'append-reference',
  'drop-references',
  'touch-account',
  'recreate-account',
  'edit-secret',
  'strip-labels',
  'delete-secret',
  'take-name',
  'make-immutable',
] as const;

/** One write that was made, and what was there just before. */
export interface Step {
  readonly write: Write;
  readonly answer: Answer;
  readonly secretBefore: ReturnType<typeof observedSecret> | undefined;
  readonly accountBefore: Readonly<StoredServiceAccount> | undefined;
}

export interface Pass {
  readonly desired: Desired;
  readonly context: PlanContext;
  readonly answers: ReadonlyMap<string, CredentialAnswer>;
  readonly plan: Plan;
}

/** One pass up to the plan, asking for what a pass asks for. */
export function planOf(world: PlannedWorld, { rules, settings, answers }: Wishes): Pass {
  const observed = world.observe(settings.instance);
  const desired = desiredFor({ rules }, observed.namespace);
  const currentSource = (cacheKey: string): string | undefined => {
    const answer = answers.get(cacheKey);
    return answer === undefined || answer.status === 'unavailable' ? undefined : answer.source;
  };
  const context = { settings, observed, currentSource, now: NOW };
  const wanted = new Set(wantedCredentials(desired, context).map(({ request }) => request.cacheKey));
  const asked = new Map([...answers].filter(([cacheKey]) => wanted.has(cacheKey)));
  return { desired, context, answers: asked, plan: planNamespace(desired, asked, context) };
}

/** What happened until nothing was written any more. */
export interface FixpointRun {
  /** Passes, the last one that wrote nothing included. */
  readonly rounds: number;
  readonly steps: readonly Step[];
  readonly last: Pass;
}

/** Plans and applies until nothing is written; foreign edits come before the writes they name. */
export function runToFixpoint(world: PlannedWorld, wishes: Wishes, edits: readonly ForeignEdit[] = []): FixpointRun {
  const steps: Step[] = [];
  let left = [...edits];
  for (let round = 1; round <= 20; round += 1) {
    const pass = planOf(world, wishes);
    if (pass.plan.writes.length === 0 && left.length === 0) return { rounds: round, steps, last: pass };
    for (const write of pass.plan.writes) {
      for (const edit of left.filter(({ beforeWrite }) => beforeWrite <= steps.length)) makeEdit(world, edit);
      left = left.filter(({ beforeWrite }) => beforeWrite > steps.length);
      const secret = world.secrets.get(write.name);
      const account = write.kind === 'patch-service-account' ? world.serviceAccounts.get(write.name) : undefined;
      const before = {
        secretBefore:
          write.kind === 'patch-service-account' || secret === undefined
            ? undefined
            : observedSecret(write.name, { ...secret }),
        accountBefore: account === undefined ? undefined : { ...account },
      };
      steps.push({ write, answer: world.apply(write, wishes.settings), ...before });
    }
    if (pass.plan.writes.length === 0) {
      for (const edit of left.splice(0)) makeEdit(world, edit);
    }
  }
  throw new Error(`no fixpoint: ${JSON.stringify(steps.slice(-3).map(({ write, answer }) => [answer, write]))}`);
}

/** Carries a foreign edit out; nothing when its object is not there. */
export function makeEdit(world: PlannedWorld, { name, kind }: ForeignEdit): void {
  const account = world.serviceAccounts.get(name);
  if (account !== undefined) {
    account.resourceVersion = world.next();
    if (kind === 'append-reference') account.imagePullSecrets = [...account.imagePullSecrets, `added-${world.next()}`];
    if (kind === 'drop-references') account.imagePullSecrets = ['overwritten'];
    if (kind === 'recreate-account') {
      Object.assign(account, { uid: world.next(), imagePullSecrets: [], recorded: {} });
    }
    return;
  }
  const secret = world.secrets.get(name);
  if (kind === 'take-name' && secret === undefined) {
    const [uid, resourceVersion] = [world.next(), world.next()];
    const text = '{"auths":{}}';
    world.secrets.set(name, {
      uid,
      resourceVersion,
      type: 'Opaque',
      immutable: false,
      labels: {},
      annotations: {},
      text,
    });
  }
  if (secret === undefined) return;
  secret.resourceVersion = world.next();
  if (kind === 'edit-secret') secret.text = `${secret.text} `;
  if (kind === 'strip-labels') secret.labels = {};
  if (kind === 'make-immutable') secret.immutable = true;
  if (kind === 'delete-secret') world.secrets.delete(name);
}
