/** Repeats a request that starts something, in the one case where that does no harm. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from './call.ts';

/** Milliseconds: the first pause, the longest, and the longest that a server may ask for. */
const FIRST = 500;
const LONGEST = 8_000;
const MOST_ASKED = 60_000;

/**
 * Sends, and sends again after a 429, as often as the service's `retries` say: a request that was turned away
 * made nothing. After anything else a run may exist, so it is not repeated.
 * @throws what the last attempt threw
 */
export async function sendUntilAdmitted<T>(call: Call, send: () => PromiseLike<T>): Promise<T> {
  const { job, method, connection } = call;
  // The SDK repeats what is repeatable by itself.
  const most = method.repeatable ? 0 : connection.client.maxRetries;
  for (let tries = 0; ; tries++) {
    try {
      return await send();
    } catch (error) {
      const pause = tries < most ? pauseAfter(error, tries) : undefined;
      if (pause === undefined || job.signal.aborted) throw error;
      await sleep(pause, undefined, { signal: job.signal });
    }
  }
}

/** Milliseconds until the next attempt; undefined where there should be none. */
function pauseAfter(error: unknown, tries: number): number | undefined {
  const { status, headers, code } = error as { status?: number; headers?: Headers; code?: string };
  // A used-up quota does not come back within a minute.
  if (status !== 429 || code === 'insufficient_quota') return undefined;
  if (headers?.get('x-should-retry') === 'false') return undefined;
  const asked = askedFor(headers) ?? Math.min(FIRST * 2 ** tries, LONGEST);
  return asked <= MOST_ASKED ? asked : undefined;
}

function askedFor(headers: Headers | undefined): number | undefined {
  const milliseconds = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (milliseconds >= 0) return milliseconds;
  const after = headers?.get('retry-after') ?? '';
  const seconds = Number.parseFloat(after);
  if (seconds >= 0) return seconds * 1000;
  const until = Date.parse(after) - Date.now();
  return until >= 0 ? until : undefined;
}
