// The grammar of the two name lists of an `ImagePullSecret` (tcr.md section 2): exact names, no patterns, and never wider than written.
import { NO_NAMES } from './scope.ts';
import type { Issue, NamePatterns } from './types.ts';

/** A list, understood as far as it can be. */
export interface VendorNames {
  readonly patterns: NamePatterns;
  /** What is wrong with it; its real names count all the same. */
  readonly issues: readonly Issue[];
  /** False = it is too much to be read: nothing can be said of it. */
  readonly isReadable: boolean;
}

/** Most names of one list that are read; a namespace or ServiceAccount each. */
const MAX_NAMES = 10_000;

/** What names are allowed: those of namespaces are labels, those of ServiceAccounts may hold dots. */
const FORMS = {
  namespace: { pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, what: 'namespace' },
  serviceAccount: {
    pattern: /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    what: 'ServiceAccount',
  },
} as const;

/**
 * Reads one list. Absent, empty or `*` means any; else the names between the commas, trimmed, empty ones dropped. A `*` among
 * names, or commas without a name, is an issue and matches nothing: it never widens what is written.
 */
export function parseVendorNames(written: unknown, kind: keyof typeof FORMS, path: string): VendorNames {
  if (written !== undefined && written !== null && typeof written !== 'string') {
    return {
      patterns: NO_NAMES,
      issues: [issue(path, 'must be text: names joined by commas, or `*`')],
      isReadable: false,
    };
  }
  const text = (written ?? '').trim();
  if (text === '' || text === '*') return { patterns: { ...NO_NAMES, globs: ['*'] }, issues: [], isReadable: true };
  const members = text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  if (members.length === 0) {
    return {
      patterns: NO_NAMES,
      issues: [issue(path, 'holds no name: write `*` for all, or names', text)],
      isReadable: true,
    };
  }
  if (members.length > MAX_NAMES) {
    return {
      patterns: NO_NAMES,
      issues: [issue(path, `holds more than ${MAX_NAMES} names: use a selector`)],
      isReadable: false,
    };
  }
  const { pattern, what } = FORMS[kind];
  const issues = members
    .filter((member) => !pattern.test(member))
    .slice(0, 10)
    .map((member) =>
      member === '*'
        ? issue(path, '`*` stands alone or not at all: beside names it means nothing', text)
        : issue(path, `is no name of a ${what}, and patterns are not read here: write exact names`, member),
    );
  return {
    patterns: { ...NO_NAMES, names: new Set(members.filter((member) => pattern.test(member))) },
    issues,
    isReadable: true,
  };
}

function issue(path: string, message: string, value?: string): Issue {
  return { severity: 'error', path, message, ...(value === undefined ? {} : { value: value.slice(0, 80) }) };
}
