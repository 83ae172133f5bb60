// AdmissionReview v1, read strictly and answered: the border between what the API server sends and the decision.
import type { AdmissionRequest, PatchOperation } from '../core/admission.ts';
import { isRecord } from '../core/records.ts';
import { readAdmittedAccount } from '../kube/projections.ts';

/** A review that can be decided, or why not; `uid` is what the answer must repeat. */
export type Review =
  | { readonly ok: true; readonly uid: string; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly uid: string; readonly why: string };

const VERSION = 'admission.k8s.io/v1';

/** Reads the body of a review for `instance`. Never throws, whatever it is given. */
export function parseReview(body: string, instance: string): Review {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    return { ok: false, uid: '', why: 'it is no JSON' };
  }
  if (!isRecord(review) || !isRecord(review.request)) return { ok: false, uid: '', why: 'it holds no request' };
  const { request } = review;
  const uid = typeof request.uid === 'string' ? request.uid : '';
  const refuse = (why: string): Review => ({ ok: false, uid, why });
  if (review.apiVersion !== VERSION || review.kind !== 'AdmissionReview') return refuse(`it is no ${VERSION} review`);
  if (uid === '') return refuse('it has no uid');

  const { kind, namespace, operation, options, subResource } = request;
  const isAccount = isRecord(kind) && kind.group === '' && kind.version === 'v1' && kind.kind === 'ServiceAccount';
  if (!isAccount || (subResource !== undefined && subResource !== ''))
    return refuse('it is not about a ServiceAccount');
  if (operation !== 'CREATE' && operation !== 'UPDATE') return refuse('it is neither CREATE nor UPDATE');
  if (typeof namespace !== 'string' || namespace === '') return refuse('it names no namespace');
  const account = readAdmittedAccount(request.object, instance);
  const before = operation === 'CREATE' ? undefined : readAdmittedAccount(request.oldObject, instance);
  if (account === undefined) return refuse('its object cannot be read');
  if (operation === 'UPDATE' && before === undefined) return refuse('its old object cannot be read');
  const manager = isRecord(options) ? options.fieldManager : undefined;
  const fieldManager = typeof manager === 'string' ? manager : '';
  return { ok: true, uid, request: { namespace, fieldManager, account, before } };
}

/** Builds the body of the answer: always allowed; `warning` reaches whoever sent the request. */
export function buildAnswer(uid: string, patch: readonly PatchOperation[], warning?: string): string {
  return JSON.stringify({
    apiVersion: VERSION,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      ...(patch.length === 0
        ? {}
        : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
      ...(warning === undefined ? {} : { warnings: [warning] }),
    },
  });
}
