// What a review is answered with: the decision from memory, counted and timed. No call, no wait, and no way to throw.
import { decideAdmission, type AdmissionReason } from '../core/admission.ts';
import type { ItemParser } from '../core/registry-items.ts';
import { decideResource, type ResourceReason } from '../core/resource-admission.ts';
import type { Config, ObservedNamespace } from '../core/types.ts';
import { buildAnswer, buildVerdict, parseResourceReview, parseReview, type Review } from './review.ts';

/** Every outcome of a request; `docs/reasons.md` explains them. */
export const ADMISSION_OUTCOMES = [
  'ReferenceMissing',
  'NothingMissing',
  'LeftToWatch',
  'OwnWrite',
  'NamespaceTerminating',
  'NamespaceUnserved',
  'ResourceAccepted',
  'ResourceRefused',
  'ResourceUnchanged',
  'BadReview',
  'Unexpected',
] as const satisfies readonly (AdmissionReason | ResourceReason | 'BadReview' | 'Unexpected')[];

export type AdmissionOutcome = (typeof ADMISSION_OUTCOMES)[number];

/** Where every handler says what it did. */
interface Told {
  /** Milliseconds on a clock that is never set. */
  readonly elapsed: () => number;
  readonly onAnswered: (answered: { readonly outcome: AdmissionOutcome; readonly ms: number }) => void;
  /** A review that could not be read, or (`error`) a bug. */
  readonly onProblem: (problem: { readonly why: string; readonly error?: unknown }) => void;
}

/** The memory that reviews of ServiceAccounts are decided from. */
export interface HandlerWorld extends Told {
  readonly instance: string;
  /** undefined = no good configuration is known. */
  readonly config: () => Pick<Config, 'rules'> | undefined;
  /** undefined = not seen yet. */
  readonly namespace: (name: string) => ObservedNamespace | undefined;
  /** The only namespaces that are served; undefined = all. */
  readonly served?: ReadonlySet<string> | undefined;
}

/** What reviews of ImagePullSecrets are decided with. */
export interface ResourceHandlerWorld extends Told {
  /** With which the controller reads resources. */
  readonly parseItem: ItemParser;
}

interface Answer {
  readonly outcome: AdmissionOutcome;
  readonly answer: string;
}

/** Builds the handler of ServiceAccounts: body of a review -> body of the answer. What it cannot read passes as it is, with a warning. */
export function createReviewHandler(world: HandlerWorld): (body: string) => string {
  const { instance, served } = world;
  return handlerOf(world, {
    parse: (body) => parseReview(body, instance),
    decide(uid, request) {
      const namespace = world.namespace(request.namespace);
      const { reason, patch } = decideAdmission(request, { config: world.config(), instance, namespace, served });
      return { outcome: reason, answer: buildAnswer(uid, patch) };
    },
    otherwise: 'the watch repairs what it left out',
  });
}

/** Builds the handler of ImagePullSecrets, likewise. */
export function createResourceHandler(world: ResourceHandlerWorld): (body: string) => string {
  return handlerOf(world, {
    parse: parseResourceReview,
    decide(uid, request) {
      const admission = decideResource(request, world.parseItem);
      return { outcome: admission.reason, answer: buildVerdict(uid, request.name, admission) };
    },
    otherwise: 'the status of the resource will say whether it is right',
  });
}

function handlerOf<Request>(
  world: Told,
  of: {
    readonly parse: (body: string) => Review<Request>;
    readonly decide: (uid: string, request: Request) => Answer;
    /** What makes up for a bug. */
    readonly otherwise: string;
  },
): (body: string) => string {
  const answerTo = (body: string): Answer => {
    const review = of.parse(body);
    if (!review.ok) {
      world.onProblem({ why: review.why });
      const warning = `registry-credential-helper could not read this request: ${review.why}`;
      return { outcome: 'BadReview', answer: buildAnswer(review.uid, [], warning) };
    }
    try {
      return of.decide(review.uid, review.request);
    } catch (error) {
      world.onProblem({ why: 'deciding about it failed', error });
      const warning = `registry-credential-helper failed on this request: ${of.otherwise}`;
      return { outcome: 'Unexpected', answer: buildAnswer(review.uid, [], warning) };
    }
  };
  return (body) => {
    const startedAt = world.elapsed();
    const { outcome, answer } = answerTo(body);
    world.onAnswered({ outcome, ms: world.elapsed() - startedAt });
    return answer;
  };
}
