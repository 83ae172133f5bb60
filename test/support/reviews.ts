// Reviews as the API server posts them, for tests of the webhook without one.

/** What a review is about; all but `object` has a default. */
export interface ReviewParts {
  readonly uid?: string;
  readonly operation?: string;
  readonly namespace?: string;
  readonly object?: unknown;
  readonly oldObject?: unknown;
  readonly fieldManager?: string;
  /** Further fields of the request, or others in place of these. */
  readonly request?: Readonly<Record<string, unknown>>;
}

/** A ServiceAccount without a list and annotations. */
export const PLAIN_ACCOUNT = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'default', namespace: 'shop' },
};

/** The body of an `AdmissionReview`. */
export function buildReview(parts: ReviewParts = {}): string {
  const { uid = 'uid-1', operation = 'CREATE', namespace = 'shop', object = PLAIN_ACCOUNT, oldObject = null } = parts;
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      kind: { group: '', version: 'v1', kind: 'ServiceAccount' },
      resource: { group: '', version: 'v1', resource: 'serviceaccounts' },
      name: 'default',
      namespace,
      operation,
      userInfo: { username: 'somebody' },
      object,
      oldObject,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions', fieldManager: parts.fieldManager ?? 'kubectl' },
      ...parts.request,
    },
  });
}

/** What the webhook answered. */
export interface ReviewAnswer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patchType?: string;
    readonly warnings?: readonly string[];
    /** Why it is refused. */
    readonly status?: {
      readonly code: number;
      readonly reason: string;
      readonly message: string;
      readonly details: { readonly causes: readonly { readonly field: string; readonly message: string }[] };
    };
  };
  /** Decoded; undefined = none. */
  readonly patch: readonly { readonly op: string; readonly path: string; readonly value: unknown }[] | undefined;
}

/** Reads the body of an answer. */
export function readAnswer(body: string): ReviewAnswer {
  const answer = JSON.parse(body) as Omit<ReviewAnswer, 'patch'> & { response: { patch?: string } };
  const { patch } = answer.response;
  return {
    ...answer,
    patch:
      patch === undefined
        ? undefined
        : (JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as ReviewAnswer['patch'] & object),
  };
}

/** The body of an `AdmissionReview` about an ImagePullSecret; without `before` of its creation. */
export function buildResourceReview(object: unknown, before?: unknown): string {
  const kind = { group: 'tcr.tencentcloudcr.com', version: 'v1', kind: 'ImagePullSecret' };
  const operation = before === undefined ? 'CREATE' : 'UPDATE';
  return buildReview({ operation, object, oldObject: before ?? null, request: { kind, namespace: undefined } });
}
