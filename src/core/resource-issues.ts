// What may be shown of what is wrong with an `ImagePullSecret`: people paste passwords into the wrong field.
import { MASK } from './mask.ts';
import { isRecord } from './records.ts';
import type { Issue } from './types.ts';

/** Shorter ones stand in texts by chance. */
const MIN_MASKED = 4;

/** Builds what an issue of `spec` may say: the value that is wrong only where that is surely a name or a pattern, and never the password. */
export function concealing(spec: unknown): (issue: Issue) => Issue {
  const password = passwordIn(spec).trim();
  const masked = (text: string): string =>
    password.length < MIN_MASKED ? text : text.replaceAll(password, () => MASK);
  return ({ value, ...issue }) => {
    const isShown = value !== undefined && !issue.path.startsWith('spec.docker') && isPlainName(value);
    return {
      ...issue,
      path: masked(issue.path),
      message: masked(issue.message),
      ...(isShown ? { value: masked(value) } : {}),
    };
  };
}

/** The password that stands in a resource; empty = none. Secret. */
export function passwordIn(spec: unknown): string {
  const docker = isRecord(spec) && isRecord(spec.docker) ? spec.docker : {};
  return typeof docker.password === 'string' ? docker.password : '';
}

/** What people paste into the wrong field is a mix of letters and digits, or long. */
function isPlainName(value: string): boolean {
  return /^[a-z0-9.,*?!\s-]{1,63}$/.test(value) || /^[A-Za-z.,*?!\s_-]{1,63}$/.test(value);
}
