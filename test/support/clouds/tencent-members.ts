// Reads the body of a call as the gateway of Tencent Cloud does: every member must be known, of its type, and there when it
// is required (tcr.md sections 11 and 13).

import type { ApiError } from './api-error.ts';

/** What a member of a request is. `objects` are checked member by member. */
export interface Member {
  readonly type: 'text' | 'integer' | 'boolean' | 'texts' | 'objects';
  readonly required?: true;
  readonly members?: Members;
}

/** The members that an action takes. */
export type Members = Readonly<Record<string, Member>>;

/** What a call was given, after the check: only known members, each of its type. */
export type Parameters = Readonly<Record<string, unknown>>;

export const TEXT: Member = { type: 'text' };
export const REQUIRED_TEXT: Member = { type: 'text', required: true };
export const INTEGER: Member = { type: 'integer' };
export const BOOLEAN: Member = { type: 'boolean' };

/** Parses and checks a body; a member that is null counts as wrongly typed, as clients must not send it. */
export function readParameters(body: Uint8Array, members: Members): Parameters | { readonly error: ApiError } {
  const document = parse(body);
  if (document === undefined) return refuse('InvalidRequest', 'The body is not a JSON object.');
  const error = check(document, members, '');
  return error === undefined ? document : { error };
}

/** Limit and offset of a list: 20 unless told, at most 100. */
export function readPage(parameters: Parameters): { readonly limit: number; readonly offset: number } | ApiError {
  const { Limit: limit = 20, Offset: offset = 0 } = parameters as { Limit?: number; Offset?: number };
  if (limit < 1 || limit > 100) return invalid('Limit', 'it must be 1 to 100');
  return offset < 0 ? invalid('Offset', 'it must not be negative') : { limit, offset };
}

/** The refusal of a value. */
export function invalid(name: string, problem: string): ApiError {
  return { status: 200, code: 'InvalidParameter', message: `The parameter \`${name}\` is not valid: ${problem}.` };
}

function check(document: Parameters, members: Members, prefix: string): ApiError | undefined {
  for (const [name, value] of Object.entries(document)) {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    if (member === undefined) {
      return problem('UnknownParameter', `The parameter \`${prefix}${name}\` is not recognized.`);
    }
    if (!isOfType(value, member.type)) {
      return problem('InvalidParameter', `The value type of parameter \`${prefix}${name}\` is not valid.`);
    }
    const inner = member.type === 'objects' ? (value as Parameters[]) : [];
    for (const [index, item] of inner.entries()) {
      const error = check(item, member.members ?? {}, `${prefix}${name}.${index}.`);
      if (error !== undefined) return error;
    }
  }
  const missing = Object.entries(members).find(([name, { required }]) => required && document[name] === undefined);
  if (missing === undefined) return undefined;
  return problem('MissingParameter', `The request is missing a required parameter \`${prefix}${missing[0]}\`.`);
}

function isOfType(value: unknown, type: Member['type']): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'objects':
      return Array.isArray(value) && value.every(isObject);
    default:
      return type satisfies never;
  }
}

function isObject(value: unknown): value is Parameters {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(body: Uint8Array): Parameters | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function problem(code: string, message: string): ApiError {
  return { status: 200, code, message };
}

function refuse(code: string, message: string): { readonly error: ApiError } {
  return { error: problem(code, message) };
}
