// The decision of the validating webhook about one `ImagePullSecret`: what is wrong with it that this request brought.
import { isEqual } from './equality.ts';
import { parseImagePullSecret } from './image-pull-secret.ts';
import { isRecord } from './records.ts';
import { concealing, passwordIn } from './resource-issues.ts';
import type { ItemParser } from './registry-items.ts';
import type { Issue } from './types.ts';

/** What the API server asks. */
export interface ResourceRequest {
  readonly name: string;
  /** Unchecked. */
  readonly spec: unknown;
  readonly deleting: boolean;
  /** As it was before a change; undefined = it is being created. */
  readonly before: { readonly spec: unknown } | undefined;
}

/** Why the answer is as it is: the same word in metric and test. */
export type ResourceReason = 'ResourceUnchanged' | 'ResourceAccepted' | 'ResourceRefused';

/** One thing that is wrong, as the API server lists them. */
export interface Cause {
  /** `spec.docker.server`. */
  readonly field: string;
  readonly message: string;
}

/** The answer; without causes the resource passes. Holds no secret. */
export interface ResourceAdmission {
  readonly reason: ResourceReason;
  readonly causes: readonly Cause[];
  /** Whoever sent the request reads them. */
  readonly warnings: readonly string[];
}

/** Most causes, and most warnings, of one answer. */
const MAX_TOLD = 20;
/** Longest text of one, characters. */
const MAX_TEXT = 500;

/**
 * Decides for one request.
 *
 * | Request | then |
 * |---|---|
 * | change that leaves the spec as it is, or of what is being deleted | passes |
 * | brings nothing that the controller would not understand | passes; remarks are warnings |
 * | change, and all that is wrong was so before, in fields that are as they were | passes; each is a warning |
 * | otherwise | refused, with every error that it brought |
 *
 * The controller reads the spec with the same parser: what passes here for want of an answer is reported there (tcr.md section 4).
 */
export function decideResource(request: ResourceRequest, parseItem: ItemParser): ResourceAdmission {
  const { name, spec, before } = request;
  if (request.deleting || (before !== undefined && isEqual(spec, before.spec))) {
    return { reason: 'ResourceUnchanged', causes: [], warnings: [] };
  }
  const { issues } = parseImagePullSecret(name, spec, parseItem);
  const isOld = before === undefined ? () => false : wasSoBefore(name, { spec, before: before.spec }, parseItem);
  const brought = new Set(issues.filter((issue) => issue.severity === 'error' && !isOld(issue)));
  const remarks = issues.filter((issue) => !brought.has(issue));

  const causeOf = toCause(spec);
  const warnings = [
    ...clearTextWarnings(spec),
    ...remarks
      .slice(0, MAX_TOLD)
      .map(causeOf)
      .map(({ field, message }) => `${field}: ${message}`),
  ];
  return {
    reason: brought.size === 0 ? 'ResourceAccepted' : 'ResourceRefused',
    causes: [...brought].slice(0, MAX_TOLD).map(causeOf),
    warnings: warnings.slice(0, MAX_TOLD),
  };
}

/** True for an issue that the old spec had too, in a field that is as it was. */
function wasSoBefore(
  name: string,
  { spec, before }: { readonly spec: unknown; readonly before: unknown },
  parseItem: ItemParser,
): (issue: Issue) => boolean {
  const idOf = ({ path, message, value = '' }: Issue): string => JSON.stringify([path, message, value]);
  const earlier = new Set(parseImagePullSecret(name, before, parseItem).issues.map(idOf));
  const unchanged = new Map<string, boolean>();
  return (issue) => {
    if (!earlier.has(idOf(issue))) return false;
    const { path } = issue;
    const isUnchanged = unchanged.get(path) ?? isEqual(valueAt({ spec }, path), valueAt({ spec: before }, path));
    unchanged.set(path, isUnchanged);
    return isUnchanged;
  };
}

/** Who may read resources need not be who may read Secrets. */
function clearTextWarnings(spec: unknown): readonly string[] {
  if (passwordIn(spec) === '') return [];
  return [
    'spec.docker.password: is in clear text, and everybody who may read this resource can read it: ' +
      'put it into a Secret, and name that in spec.docker.passwordSecretRef',
  ];
}

/** Builds what is said of an issue. */
function toCause(spec: unknown): (issue: Issue) => Cause {
  const conceal = concealing(spec);
  return (issue) => {
    const { path, message, value } = conceal(issue);
    const said = value === undefined ? message : `${message}; it reads ${JSON.stringify(value)}`;
    return { field: path.slice(0, MAX_TEXT), message: said.slice(0, MAX_TEXT) };
  };
}

/** The value under a path such as `spec.namespaceSelector.matchExpressions[0]`; of one inside of a scalar, the scalar. */
function valueAt(root: unknown, path: string): unknown {
  const steps = path.match(/[^.[\]]+/g) ?? [];
  return steps.reduce<unknown>((value, step) => {
    if (Array.isArray(value)) return value[Number(step)] as unknown;
    if (isRecord(value)) return Object.hasOwn(value, step) ? value[step] : undefined;
    return value;
  }, root);
}
