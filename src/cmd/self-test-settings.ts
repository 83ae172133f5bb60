// The flags of the command `self-test`: how far it goes, and how long it waits for what a start needs.
import { parseDuration } from '../core/duration.ts';
import { parseSwitch } from './flag-values.ts';

/** What the flags say. */
export interface SelfTestFlags {
  /** Log in to each configured registry. */
  readonly registries: boolean;
  /** How long a check is repeated that fails, milliseconds. */
  readonly patienceMs: number;
}

const MAX_PATIENCE_MS = 600_000;

/** The flags as rows of the table in `flags.ts`. */
export const SELF_TEST_FLAGS = [
  {
    name: 'registries',
    value: 'true|false',
    help: 'log in to each configured registry, once for each host (default: false)',
    commands: ['self-test'],
  },
  {
    name: 'patience',
    value: 'DURATION',
    help: 'how long a check is repeated that fails: after a start the webhook takes a moment (default: 30s)',
    commands: ['self-test'],
  },
] as const;

/** Reads them; what is wrong goes to `issues`. */
export function parseSelfTestFlags(values: ReadonlyMap<string, string>, issues: string[]): SelfTestFlags {
  const patience = values.get('patience') ?? '30s';
  const patienceMs = patience === '0' ? 0 : parseDuration(patience);
  if (patienceMs === undefined || patienceMs > MAX_PATIENCE_MS) {
    issues.push(`--patience=${patience} must be 0 or a duration up to 10m, e.g. 30s`);
  }
  return { registries: parseSwitch(values, 'registries', { issues }), patienceMs: patienceMs ?? 0 };
}
