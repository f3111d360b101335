/** Repeats a request that starts something, in the one case where that does no harm. */
import { pauseBeforeRetry, retryAfter, sleep } from '../../../engine/domain/waits.ts';
import type { RunSession } from './session.ts';

/** Milliseconds: the first pause, the longest, and the longest that a server may ask for. */
const PAUSES = { first: 500, longest: 8_000, mostAsked: 60_000 };

/**
 * Sends, and sends again after a 429, as often as the service's `retries` say: a request that was turned away
 * made nothing. After anything else a run may exist, so it is not repeated.
 * @throws what the last attempt threw
 */
export async function retryRateLimited<T>(session: RunSession, send: () => PromiseLike<T>): Promise<T> {
  const { job, method, connection } = session;
  // The SDK repeats what is repeatable by itself.
  const most = method.repeatable ? 0 : connection.client.maxRetries;
  for (let tries = 0; ; tries++) {
    try {
      return await send();
    } catch (error) {
      const pause = pauseAfter(error, tries, most);
      if (pause === undefined || job.signal.aborted) throw error;
      session.waitForRetry({ attempt: tries + 2, wait: pause, limited: true });
      await sleep(pause, job.signal);
    }
  }
}

/** Milliseconds until the next attempt; undefined where there should be none. */
function pauseAfter(error: unknown, tries: number, retries: number): number | undefined {
  const { status, headers, code } = error as { status?: number; headers?: Headers; code?: string };
  // A used-up quota does not come back within a minute.
  if (status !== 429 || code === 'insufficient_quota') return undefined;
  if (headers?.get('x-should-retry') === 'false') return undefined;
  return pauseBeforeRetry(tries, retryAfter(headers), { retries, ...PAUSES });
}
