/** Asks a model, again where that repeats no paid work, and lets nobody wait for a model that ignores its signal. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Model, ModelError, type ModelEvent, type Turn } from '../models/model.ts';

/** How often a fault that may pass is tried again before the first byte. */
const MAX_RETRIES = 3;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export interface AskOptions {
  /** Milliseconds until the run expires; rate limits are waited out within it. */
  timeLeft: () => number;
  /** Rejects when the signal is aborted. For tests. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const sleepFor = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal, ref: false });

/**
 * Lets a signal end whatever is being waited for, one thing at a time.
 * Not Promise.race: every race against the same promise would keep its callbacks until that one settles.
 */
class Interrupt {
  readonly #signal: AbortSignal;
  #reject: (reason: unknown) => void = () => {};
  readonly #onAbort = () => this.#reject(this.#signal.reason);

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#signal.aborted) reject(this.#signal.reason);
      promise.then(resolve, reject);
    });
  }

  dispose(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** Milliseconds to wait before asking again, or undefined when the error is final. */
function waitAfter(error: unknown, attempt: number, timeLeft: number): number | undefined {
  if (!(error instanceof ModelError) || !error.retryable) return undefined;
  const growing = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
  const wait = error.retryAfter === undefined ? growing : error.retryAfter * 1000;
  // Rate limits pass by themselves; other faults are given a few chances.
  if (error.code !== 'rate_limit_exceeded' && attempt >= MAX_RETRIES) return undefined;
  return wait < timeLeft ? wait : undefined;
}

/**
 * The events of one turn.
 * @throws ModelError, or the signal's reason as soon as it is aborted.
 */
export async function* ask(
  model: Model,
  turn: Turn,
  { timeLeft, sleep = sleepFor }: AskOptions,
): AsyncGenerator<ModelEvent> {
  const interrupt = new Interrupt(turn.signal);
  try {
    for (let attempt = 0; ; attempt++) {
      let started = false;
      const events = model.run(turn)[Symbol.asyncIterator]();
      try {
        while (true) {
          const next = await interrupt.wait(events.next());
          if (next.done) return;
          started = true;
          yield next.value;
        }
      } catch (error) {
        const wait = started ? undefined : waitAfter(error, attempt, timeLeft());
        if (turn.signal.aborted || wait === undefined) throw error;
        await interrupt.wait(sleep(wait, turn.signal));
      } finally {
        // Not awaited: a generator stuck in its own await would keep us here.
        void Promise.resolve(events.return?.()).catch(() => {});
      }
    }
  } finally {
    interrupt.dispose();
  }
}
