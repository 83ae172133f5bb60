// Small phrases and names of the take-over plan.
import { MANAGER } from './names.ts';

/** Longest name that Helm takes for a release. */
const MAX_RELEASE = 53;

/** Names that are written out before "and n more". */
const MAX_LISTED = 10;

/** `1 Secret`, `3 Secrets`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `a, b, c`, of a long list only the beginning and how many more there are. */
export function listed(names: readonly string[]): string {
  const sorted = [...names].sort();
  const more = sorted.length - MAX_LISTED;
  return `${sorted.slice(0, MAX_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Text that somebody else chose: short, on one line, without what a terminal would obey. */
export function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, '?').slice(0, 200);
}

/** `12 minutes`, for a span in milliseconds. */
export function agoText(ms: number): string {
  return count(Math.max(0, Math.round(ms / 60_000)), 'minute');
}

/** Name of the Helm release of an installation, which its ServiceAccount and its Deployment bear too. */
export function releaseName(instance: string): string {
  const name = instance === 'default' ? MANAGER : `${MANAGER}-${instance}`;
  return name.slice(0, MAX_RELEASE).replace(/-+$/, '');
}
