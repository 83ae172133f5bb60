// Applies the answers of the webhook to objects as the API server does; knows `add` alone, as the webhook does.

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

type Container = Record<string, unknown> | unknown[];

/** A patched copy. Throws where the API server refuses: another operation, or a parent that is not there (RFC 6902). */
export function applyJsonPatch<T>(object: T, operations: readonly Operation[]): T {
  const copy = structuredClone(object);
  for (const { op, path, value } of operations) {
    if (op !== 'add' || !path.startsWith('/')) throw new Error(`unknown operation ${op} ${path}`);
    const steps = path
      .slice(1)
      .split('/')
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop() ?? '';
    const parent = steps.reduce<unknown>(
      (at, step) => (isContainer(at) ? (at as Record<string, unknown>)[step] : undefined),
      copy,
    );
    if (!isContainer(parent)) throw new Error(`no parent for ${path}`);
    if (!Array.isArray(parent)) parent[last] = structuredClone(value);
    else if (last === '-') parent.push(structuredClone(value));
    else throw new Error(`only appends are known: ${path}`);
  }
  return copy;
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}
