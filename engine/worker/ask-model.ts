/** Asks a model, again where that repeats no paid work, and lets nobody wait for a model that ignores its signal. */
import { pauseBeforeRetry, type RetryPlan, sleep as sleepFor } from '../domain/waits.ts';
import { type Model, ModelError, type ModelEvent, type Turn } from '../models/model.ts';

/** A fault that may pass is tried again a few times before the first byte. */
const AFTER_FAULT = { retries: 3, first: 500, longest: 30_000 };
/** Rate limits pass by themselves, so they get the run's whole time; the number only stops a server that lies. */
const AFTER_RATE_LIMIT = { retries: 50, first: 500, longest: 30_000 };

/** The model was not ready and is asked again. */
export interface Retry {
  error: ModelError;
  /** Number of the next attempt; the first repetition is 2. */
  attempt: number;
  /** Milliseconds until then. */
  wait: number;
}

export interface AskOptions {
  /** Milliseconds until the run expires; rate limits are waited out within it. */
  timeLeft: () => number;
  onRetry?: (retry: Retry) => void;
  /** Rejects when the signal is aborted. For tests. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

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
function waitAfter(error: ModelError, attempt: number, timeLeft: number): number | undefined {
  if (!error.retryable) return undefined;
  const plan: RetryPlan = {
    ...(error.reason === 'provider_rate_limited' ? AFTER_RATE_LIMIT : AFTER_FAULT),
    mostAsked: timeLeft,
  };
  const wait = pauseBeforeRetry(attempt, error.retryAfter, plan);
  return wait !== undefined && wait < timeLeft ? wait : undefined;
}

/** The error that the run fails with; says so where the provider asks for more time than the run has. */
function final(error: ModelError, timeLeft: number): ModelError {
  const { retryable, retryAfter, message } = error;
  if (!retryable || retryAfter === undefined || retryAfter < timeLeft) return error;
  const seconds = Math.ceil(retryAfter / 1000);
  return error.as('later', { message, seconds });
}

/**
 * The events of one turn.
 * @throws ModelError, or the signal's reason as soon as it is aborted.
 */
export async function* ask(
  model: Model,
  turn: Turn,
  { timeLeft, onRetry, sleep = (ms, signal) => sleepFor(ms, signal, { ref: false }) }: AskOptions,
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
        if (started || turn.signal.aborted || !(error instanceof ModelError)) throw error;
        const wait = waitAfter(error, attempt, timeLeft());
        if (wait === undefined) throw final(error, timeLeft());
        onRetry?.({ error, attempt: attempt + 2, wait });
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
