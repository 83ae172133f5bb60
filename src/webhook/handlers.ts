// What a review is answered with: the decision from memory, counted and timed. No call, no wait, and no way to throw.
import { decideAdmission, type AdmissionReason } from '../core/admission.ts';
import type { Config, ObservedNamespace } from '../core/types.ts';
import { buildAnswer, parseReview } from './review.ts';

/** Every outcome of a request; `docs/reasons.md` explains them. */
export const ADMISSION_OUTCOMES = [
  'ReferenceMissing',
  'NothingMissing',
  'LeftToWatch',
  'OwnWrite',
  'NamespaceTerminating',
  'BadReview',
  'Unexpected',
] as const satisfies readonly (AdmissionReason | 'BadReview' | 'Unexpected')[];

export type AdmissionOutcome = (typeof ADMISSION_OUTCOMES)[number];

/** The memory that reviews are decided from. */
export interface HandlerWorld {
  readonly instance: string;
  /** undefined = no good configuration is known. */
  readonly config: () => Pick<Config, 'rules'> | undefined;
  /** undefined = not seen yet. */
  readonly namespace: (name: string) => ObservedNamespace | undefined;
  /** Milliseconds on a clock that is never set. */
  readonly elapsed: () => number;
  readonly onAnswered: (answered: { readonly outcome: AdmissionOutcome; readonly ms: number }) => void;
  /** A review that could not be read, or (`error`) a bug. */
  readonly onProblem: (problem: { readonly why: string; readonly error?: unknown }) => void;
}

/** Builds the handler: body of a review -> body of the answer. What it cannot read passes as it is, with a warning. */
export function createReviewHandler(world: HandlerWorld): (body: string) => string {
  const { instance } = world;
  const decide = (body: string): { readonly outcome: AdmissionOutcome; readonly answer: string } => {
    const review = parseReview(body, instance);
    if (!review.ok) {
      world.onProblem({ why: review.why });
      const warning = `registry-credential-helper could not read this request: ${review.why}`;
      return { outcome: 'BadReview', answer: buildAnswer(review.uid, [], warning) };
    }
    try {
      const { request, uid } = review;
      const namespace = world.namespace(request.namespace);
      const { reason, patch } = decideAdmission(request, { config: world.config(), instance, namespace });
      return { outcome: reason, answer: buildAnswer(uid, patch) };
    } catch (error) {
      world.onProblem({ why: 'deciding about it failed', error });
      const warning = 'registry-credential-helper failed on this request: the watch repairs what it left out';
      return { outcome: 'Unexpected', answer: buildAnswer(review.uid, [], warning) };
    }
  };
  return (body) => {
    const startedAt = world.elapsed();
    const { outcome, answer } = decide(body);
    world.onAnswered({ outcome, ms: world.elapsed() - startedAt });
    return answer;
  };
}
