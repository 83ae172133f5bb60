// The first identity of several that is there, and what is told of the choice.
import { ProviderError } from '../core/errors.ts';
import type { KeyStory } from './assumed-session.ts';

/** One of the identities to choose from. */
export interface Candidate<Key extends KeyStory> {
  readonly fetchKey: () => Promise<Key>;
  /** What must be there for it, for messages. */
  readonly needs: string;
}

/** How it is chosen. */
export interface Choice {
  /** For messages. */
  readonly mode: string;
  /** True when there is no such identity here; false when there is one that does not work now. */
  readonly isLacking: (error: unknown) => error is ProviderError;
}

/** An identity is not there: nothing names it, or what does is not whole. Another one may be used in its place. */
export class AbsentIdentity extends ProviderError {
  /** Some of it is there: somebody meant it, and must hear that it is not used. */
  readonly isHalf: boolean;

  constructor(message: string, { isHalf }: { readonly isHalf: boolean }) {
    super('IdentityUnavailable', message);
    this.isHalf = isHalf;
  }
}

/**
 * The key of the first that has one; every other is passed over only for a reason that another identity cures, never for
 * one that passes: a short outage must not mean another identity.
 */
export async function fetchFirst<Key extends KeyStory>(
  candidates: readonly Candidate<Key>[],
  { mode, isLacking }: Choice,
): Promise<Key> {
  const passedOver: string[] = [];
  const halves: string[] = [];
  for (const { fetchKey, needs } of candidates) {
    try {
      const key = await fetchKey();
      const others = passedOver.length === 0 ? '' : `, since: ${passedOver.join('; ')}`;
      const warnings = [...(key.warnings ?? []), ...halves];
      const choice = `${needs}, by ${mode}${others}`;
      return { ...key, choice, ...(warnings.length === 0 ? {} : { warnings }) };
    } catch (error) {
      if (!isLacking(error)) throw error;
      passedOver.push(error.message);
      if (error instanceof AbsentIdentity && error.isHalf) halves.push(`passed over by ${mode}: ${error.message}`);
    }
  }
  throw new ProviderError('IdentityUnavailable', `no identity was found (${mode}): ${passedOver.join('; ')}`);
}
