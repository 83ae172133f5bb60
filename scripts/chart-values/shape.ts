// What one value of the chart is: the source of values.yaml, of its schema and of the table in the README.

/** A JSON Schema (draft 7), as far as the values need it. */
export type Schema = Readonly<Record<string, unknown>>;

/** One value. */
export interface Value {
  readonly kind: 'value';
  /** One paragraph of Markdown: the comment, the description and the cell of the table. */
  readonly about: string;
  readonly schema: Schema;
  readonly fallback: unknown;
  /** What null stands for, where that is neither the default nor, of a list or a map, an empty one. */
  readonly missing?: unknown;
}

/** A map of values. */
export interface Section {
  readonly kind: 'section';
  readonly about: string;
  readonly members: Members;
  /** True = members that nobody knows here are let through. */
  readonly isOpen: boolean;
}

/** Values and sections by their names, in the order of values.yaml. */
export type Members = Readonly<Record<string, Value | Section>>;

/** Values that belong together, with what they are about. */
export interface Group {
  readonly title: string;
  readonly members: Members;
}

/** A map of values; what is not among `members` is refused. */
export function section(about: string, members: Members): Section {
  return { kind: 'section', about, members, isOpen: false };
}

/** A map of which only some members are ours. */
export function openSection(about: string, members: Members): Section {
  return { kind: 'section', about, members, isOpen: true };
}

/** Any value. */
export function value(about: string, fallback: unknown, schema: Schema): Value {
  return { kind: 'value', about, fallback, schema };
}

/** A text. */
export function text(about: string, fallback = '', schema: Schema = {}): Value {
  return value(about, fallback, { type: 'string', ...schema });
}

/** True or false. */
export function flag(about: string, fallback: boolean): Value {
  return value(about, fallback, { type: 'boolean' });
}

/** A whole number. */
export function integer(about: string, fallback: number, minimum: number, maximum?: number): Value {
  return value(about, fallback, { type: 'integer', minimum, ...(maximum === undefined ? {} : { maximum }) });
}

/** One of some words. */
export function choice(about: string, fallback: string, words: readonly string[]): Value {
  return value(about, fallback, { type: 'string', enum: words });
}

/** A list. */
export function list(about: string, items: Schema, fallback: readonly unknown[] = []): Value {
  return value(about, fallback, { type: 'array', items });
}
