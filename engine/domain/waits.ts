/** Waiting, in one place: timers that never overflow, how long until the next attempt, what a server asks for. */
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds; `setTimeout` fires at once beyond this. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds; no request is repeated sooner, whatever a server says. */
const LEAST_PAUSE_MS = 100;

/** Milliseconds; a server that asks for less than this has not thought of how often it will be asked. */
const LEAST_MEANT_MS = 1000;

/**
 * Waits, however long: beyond 24.8 days in several timers.
 * @param ms milliseconds; negative counts as 0, Infinity waits until the signal
 * @param options.ref false lets the process end meanwhile
 * @throws the signal's AbortError as soon as it is aborted
 */
export async function sleep(ms: number, signal?: AbortSignal, { ref = true } = {}): Promise<void> {
  for (let left = Math.max(0, ms); ; left -= LONGEST_TIMER_MS) {
    await delay(Math.min(left, LONGEST_TIMER_MS), undefined, { signal, ref });
    if (left <= LONGEST_TIMER_MS) return;
  }
}

/**
 * Calls back once, however much later.
 * @param ms milliseconds; negative counts as 0, Infinity never calls
 * @returns takes it back
 */
export function callAfter(ms: number, call: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const set = (left: number) => {
    const wait = Math.min(Math.max(0, left), LONGEST_TIMER_MS);
    timer = setTimeout(() => (left > LONGEST_TIMER_MS ? set(left - wait) : call()), wait);
  };
  set(ms);
  return () => clearTimeout(timer);
}

export interface RetryPlan {
  /** How many repetitions there may be. */
  retries: number;
  /** Milliseconds: the first pause and the longest, both before chance is taken off. */
  first: number;
  longest: number;
  /** Milliseconds; a server that asks for more is not asked again. */
  mostAsked: number;
}

/**
 * Milliseconds of a growing pause, some of it taken off by chance so that many clients don't return together.
 * @param attempt how many attempts there have been before, from 0
 */
export function backoff(attempt: number, { first, longest }: Pick<RetryPlan, 'first' | 'longest'>): number {
  const most = Math.max(LEAST_PAUSE_MS, Math.min(first * 2 ** attempt, longest));
  return LEAST_PAUSE_MS + Math.random() * (most - LEAST_PAUSE_MS);
}

/**
 * Milliseconds until the next attempt, or undefined when there should be none. A server's own wish is followed; one of
 * less than a second never shortens the growing pause: some ask for 0, for ever.
 * @param attempt how many repetitions there have been, from 0
 * @param asked milliseconds that the server asks for (see retryAfter)
 */
export function pauseBeforeRetry(
  attempt: number,
  asked: number | undefined,
  plan: RetryPlan,
): number | undefined {
  if (attempt >= plan.retries) return undefined;
  if (asked !== undefined && asked > plan.mostAsked) return undefined;
  if (asked !== undefined && asked >= LEAST_MEANT_MS) return asked;
  return Math.max(asked ?? 0, backoff(attempt, plan));
}

/**
 * What a server asks to wait, in `retry-after-ms` or `retry-after` (seconds or a date).
 * @returns milliseconds, never negative: what lies in the past is 0; undefined if it asks for nothing that can be read
 */
export function retryAfter(headers: Headers | undefined): number | undefined {
  const milliseconds = numberIn(headers?.get('retry-after-ms'));
  if (milliseconds !== undefined) return Math.max(0, milliseconds);
  const text = headers?.get('retry-after');
  const seconds = numberIn(text);
  if (seconds !== undefined) return Math.max(0, seconds * 1000);
  const until = Date.parse(text ?? '') - Date.now();
  return Number.isNaN(until) ? undefined : Math.max(0, until);
}

function numberIn(text: string | null | undefined): number | undefined {
  const number = Number(text?.trim() || Number.NaN);
  return Number.isFinite(number) ? number : undefined;
}

/** Rejects with the signal's reason when that is aborted first. */
export async function untilAborted<T>(answering: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([answering, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
