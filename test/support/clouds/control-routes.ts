// What the parts of the control interface have in common: routes, the calls that every simulated API has, and how their
// documents are read.

import type { FaultBook, FaultRule } from './faults.ts';
import { FAULT_KINDS } from './faults.ts';
import type { Listener } from './listener.ts';

/** A JSON object that came in. */
export type Document = Readonly<Record<string, unknown>>;

/** One call of the control interface; `id` is the rest of a path that names one. Throws TypeError for a bad document. */
export type Route = (call: { readonly document: Document; readonly id: string }) => unknown;

/** Routes by method and path. */
export type Routes = readonly (readonly [string, Route])[];

/** What every simulated API can be told. */
export interface DrivenApi extends Pick<Listener, 'down' | 'up'> {
  readonly faults: FaultBook;
  calls(): readonly unknown[];
  clearCalls(): void;
}

/** The calls that every API has, below a path such as `/alibaba/cr`. */
export function buildApiRoutes(path: string, api: DrivenApi): Routes {
  return [
    [`GET ${path}/calls`, () => api.calls()],
    [`DELETE ${path}/calls`, () => api.clearCalls()],
    [`GET ${path}/faults`, () => api.faults.list()],
    [`DELETE ${path}/faults`, () => api.faults.clear()],
    [`POST ${path}/faults`, ({ document }) => api.faults.add(parseFaultRule(document))],
    [`POST ${path}/down`, () => api.down()],
    [`POST ${path}/up`, () => api.up()],
  ];
}

/** Adds an object to a map, or replaces it, under the value of its first field; all of `fields` must be there. */
export function buildPutRoute<T>(map: Map<string, T>, fields: readonly string[], defaults: Partial<T> = {}): Route {
  return ({ document }) => {
    requireFields(document, fields);
    map.set(String(document[fields[0] ?? '']), { ...defaults, ...document } as unknown as T);
  };
}

/** A member that must be a finite number. */
export function readNumber(document: Document, name: string): number {
  const value = document[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`${name} must be a number`);
  return value;
}

/** Refuses a document that lacks a member. */
export function requireFields(document: Document, names: readonly string[]): void {
  const missing = names.filter((name) => document[name] === undefined);
  if (missing.length > 0) throw new TypeError(`missing: ${missing.join(', ')}`);
}

function parseFaultRule(document: Document): FaultRule {
  const { fault } = document;
  const kind: unknown = typeof fault === 'object' && fault !== null && 'kind' in fault ? fault.kind : undefined;
  if (!FAULT_KINDS.some((known) => known === kind))
    throw new TypeError(`fault.kind is one of ${FAULT_KINDS.join(', ')}`);
  return document as unknown as FaultRule;
}
