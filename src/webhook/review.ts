// AdmissionReview v1, read strictly and answered: the border between what the API server sends and the decision.
import type { AdmissionRequest, PatchOperation } from '../core/admission.ts';
import { RESOURCE_KIND } from '../core/names.ts';
import { isRecord } from '../core/records.ts';
import type { Cause, ResourceAdmission, ResourceRequest } from '../core/resource-admission.ts';
import { readAdmittedAccount } from '../kube/projections.ts';

/** A review that can be decided, or why not; `uid` is what the answer must repeat. */
export type Review<Request> =
  | { readonly ok: true; readonly uid: string; readonly request: Request }
  | { readonly ok: false; readonly uid: string; readonly why: string };

type Fields = Readonly<Record<string, unknown>>;

const VERSION = 'admission.k8s.io/v1';

/** Reads the body of a review of a ServiceAccount for `instance`. Never throws, whatever it is given. */
export function parseReview(body: string, instance: string): Review<AdmissionRequest> {
  return parseRequest(body, { group: '', version: 'v1', kind: 'ServiceAccount' }, (request) => {
    const { namespace, operation, options, object, oldObject } = request;
    if (typeof namespace !== 'string' || namespace === '') return 'it names no namespace';
    const account = readAdmittedAccount(object, instance);
    const before = operation === 'CREATE' ? undefined : readAdmittedAccount(oldObject, instance);
    if (account === undefined) return 'its object cannot be read';
    if (operation === 'UPDATE' && before === undefined) return 'its old object cannot be read';
    const manager = isRecord(options) ? options.fieldManager : undefined;
    return { namespace, fieldManager: typeof manager === 'string' ? manager : '', account, before };
  });
}

/** Reads the body of a review of an ImagePullSecret, likewise. */
export function parseResourceReview(body: string): Review<ResourceRequest> {
  return parseRequest(body, RESOURCE_KIND, ({ operation, object, oldObject }) => {
    if (!isRecord(object) || !isRecord(object.metadata)) return 'its object cannot be read';
    if (operation === 'UPDATE' && !isRecord(oldObject)) return 'its old object cannot be read';
    const { name, deletionTimestamp } = object.metadata;
    if (typeof name !== 'string') return 'its object has no name';
    const before = operation === 'UPDATE' && isRecord(oldObject) ? { spec: oldObject.spec } : undefined;
    return { name, spec: object.spec, deleting: typeof deletionTimestamp === 'string', before };
  });
}

/** Reads what every review has; `read` gives the request, or why it cannot be read. */
function parseRequest<Request extends object>(
  body: string,
  expected: { readonly group: string; readonly version: string; readonly kind: string },
  read: (request: Fields) => Request | string,
): Review<Request> {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    return { ok: false, uid: '', why: 'it is no JSON' };
  }
  if (!isRecord(review) || !isRecord(review.request)) return { ok: false, uid: '', why: 'it holds no request' };
  const { request } = review;
  const uid = typeof request.uid === 'string' ? request.uid : '';
  const refuse = (why: string): Review<Request> => ({ ok: false, uid, why });
  if (review.apiVersion !== VERSION || review.kind !== 'AdmissionReview') return refuse(`it is no ${VERSION} review`);
  if (uid === '') return refuse('it has no uid');

  const { kind, operation, subResource } = request;
  const { group, version } = expected;
  const isKind = isRecord(kind) && kind.group === group && kind.version === version && kind.kind === expected.kind;
  if (!isKind || (subResource !== undefined && subResource !== '')) {
    return refuse(`it is not about ${expected.kind === 'ImagePullSecret' ? 'an' : 'a'} ${expected.kind}`);
  }
  if (operation !== 'CREATE' && operation !== 'UPDATE') return refuse('it is neither CREATE nor UPDATE');
  const parsed = read(request);
  return typeof parsed === 'string' ? refuse(parsed) : { ok: true, uid, request: parsed };
}

/** Builds the body of the answer that lets pass; `warning` reaches whoever sent the request. */
export function buildAnswer(uid: string, patch: readonly PatchOperation[], warning?: string): string {
  return answerWith(uid, {
    allowed: true,
    ...(patch.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
    ...(warning === undefined ? {} : { warnings: [warning] }),
  });
}

/** Builds the body of the answer about the resource `name`: refused, when there are causes, as the API server itself refuses. */
export function buildVerdict(uid: string, name: string, { causes, warnings }: ResourceAdmission): string {
  const told = warnings.length === 0 ? {} : { warnings };
  if (causes.length === 0) return answerWith(uid, { allowed: true, ...told });
  const { group, kind } = RESOURCE_KIND;
  const reason = 'FieldValueInvalid';
  return answerWith(uid, {
    allowed: false,
    ...told,
    status: {
      status: 'Failure',
      code: 422,
      reason: 'Invalid',
      message: causes.map(sentenceOf).join('; '),
      details: { group, kind, name, causes: causes.map(({ field, message }) => ({ reason, field, message })) },
    },
  });
}

function sentenceOf({ field, message }: Cause): string {
  return `${field}: ${message}`;
}

function answerWith(uid: string, response: Fields): string {
  return JSON.stringify({ apiVersion: VERSION, kind: 'AdmissionReview', response: { uid, ...response } });
}
