// How unknown input becomes a map of unknown fields.

/** True for an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON text from anywhere -> the map that it holds; undefined when it is no JSON, or something else. Never throws or quotes it. */
export function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  const parsed = parseJson(text);
  return isRecord(parsed) ? parsed : undefined;
}

/** The same for a list; empty when it is no JSON, or something else. */
export function parseList(text: string): readonly unknown[] {
  const parsed = parseJson(text);
  return Array.isArray(parsed) ? parsed : [];
}

/** undefined = it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
