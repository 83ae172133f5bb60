// Says what a failure is about, where whoever failed does not know.
import { ProviderError } from '../core/errors.ts';

/** What `work` gives. A ProviderError that it throws comes out with `<what> failed: ` before its message. */
export async function about<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const { reason, message, requestId, retryAfterMs, cause } = error;
    throw new ProviderError(reason, `${what} failed: ${message}`, { requestId, retryAfterMs, cause });
  }
}
