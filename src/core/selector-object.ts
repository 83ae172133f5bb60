// Label selectors as the Kubernetes API writes them in objects: `matchLabels` and `matchExpressions`.
import { isRecord } from './records.ts';
import { isLabel } from './scope.ts';
import type { Issue, LabelRequirement, LabelSelector, Parsed } from './types.ts';

const OPERATORS = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: 'absent' } as const;

/** Most requirements of one selector. */
const MAX_REQUIREMENTS = 100;

/** Most values of all of them together: they are compared with every namespace or ServiceAccount, again and again. */
const MAX_VALUES = 1_000;

/**
 * Reads a selector; `{}` selects everything, as in Kubernetes.
 * Form: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
 */
export function parseSelectorObject(written: unknown, path: string): Parsed<LabelSelector> {
  const issues: Issue[] = [];
  const fail = (at: string, message: string): undefined => {
    issues.push({ severity: 'error', path: at, message });
    return undefined;
  };
  const { matchLabels = {}, matchExpressions = [], ...others } = isRecord(written) ? written : {};
  if (!isRecord(written)) fail(path, 'must be a label selector: `matchLabels` and `matchExpressions`');
  for (const key of Object.keys(others))
    fail(path, `has no field ${key.slice(0, 60)}: use matchLabels or matchExpressions`);
  if (!isRecord(matchLabels)) fail(`${path}.matchLabels`, 'must be a map of labels');
  if (!Array.isArray(matchExpressions)) fail(`${path}.matchExpressions`, 'must be a list');
  const labels = Object.entries(isRecord(matchLabels) ? matchLabels : {}).map(([key, value]) =>
    typeof value === 'string' && isLabel(key, value)
      ? ({ key, operator: 'in', values: [value] } as const)
      : fail(`${path}.matchLabels`, `${key.slice(0, 60)} is no label with a text as value`),
  );
  const listed: readonly unknown[] = Array.isArray(matchExpressions) ? matchExpressions : [];
  const expressions = listed.map(
    (expression, index) =>
      requirementOf(expression) ??
      fail(
        `${path}.matchExpressions[${index}]`,
        'needs a key, an operator (In, NotIn, Exists, DoesNotExist) and values to match',
      ),
  );
  const requirements = [...labels, ...expressions].filter((requirement) => requirement !== undefined);
  if (requirements.length > MAX_REQUIREMENTS) fail(path, `has more than ${MAX_REQUIREMENTS} requirements`);
  const values = requirements.reduce((sum, one) => sum + ('values' in one ? one.values.length : 0), 0);
  if (values > MAX_VALUES) fail(path, `has more than ${MAX_VALUES} values: select by a label that all of them bear`);
  return issues.length > 0 ? { ok: false, issues: issues.slice(0, 10) } : { ok: true, value: requirements, issues };
}

function requirementOf(expression: unknown): LabelRequirement | undefined {
  if (!isRecord(expression) || typeof expression.key !== 'string' || !isLabel(expression.key, '')) return undefined;
  const { key, operator, values = [] } = expression;
  const word = typeof operator === 'string' && Object.hasOwn(OPERATORS, operator) ? operator : undefined;
  if (word === undefined || !Array.isArray(values)) return undefined;
  const known = OPERATORS[word as keyof typeof OPERATORS];
  const listed: readonly unknown[] = values;
  if (known === 'exists' || known === 'absent') return listed.length === 0 ? { key, operator: known } : undefined;
  const texts = listed.filter((value): value is string => typeof value === 'string' && isLabel(key, value));
  return texts.length > 0 && texts.length === listed.length ? { key, operator: known, values: texts } : undefined;
}
