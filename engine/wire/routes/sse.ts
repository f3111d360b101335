/** The log of a run as a stream of server-sent events. */
import type { EventLog } from '../../worker/event-log.ts';

/** Milliseconds of silence after which a comment is sent: below the idle limits of common proxies and clients. */
const KEEP_ALIVE_MS = 15_000;

/** Characters that a reader who lags behind is given at once, as far as events allow. */
const PIECE = 65_536;

const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** A log as an answer, to its end. @param options.from index of the first event; `keepAliveMs` is for tests */
export const eventStream = (
  log: EventLog,
  signal?: AbortSignal | null,
  { from = 0, keepAliveMs = KEEP_ALIVE_MS } = {},
): Response => {
  const source = new EventSource(log, signal, from, keepAliveMs);
  return new Response(new ReadableStream(source, { highWaterMark: 1 }), { headers: HEADERS });
};

/**
 * What one reader reads. A reader that goes away, by cancel or by signal, ends its stream and nothing else; for one
 * that does not read, nothing is prepared, and no timer keeps the log in memory.
 */
class EventSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #log: EventLog;
  readonly #signal: AbortSignal | null | undefined;
  readonly #keepAliveMs: number;
  readonly #encoder = new TextEncoder();
  /** How many events the reader has been given, or had before. */
  #position: number;
  #gone = false;
  #wake = () => {};
  #onAbort = () => {};

  constructor(log: EventLog, signal: AbortSignal | null | undefined, from: number, keepAliveMs: number) {
    this.#position = from;
    this.#log = log;
    this.#signal = signal;
    this.#keepAliveMs = keepAliveMs;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const signal = this.#signal;
    this.#onAbort = () => {
      this.cancel();
      controller.error(signal?.reason);
    };
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const log = this.#log;
    if (log.length <= this.#position && !log.ended) await this.#news();
    if (this.#gone) return;
    const { text, next } = log.frames(this.#position, PIECE);
    this.#position = next;
    controller.enqueue(this.#encoder.encode(text || ': keep-alive\n\n'));
    if (!log.ended || next < log.length) return;
    this.#leave(true);
    controller.close();
  }

  cancel(): void {
    this.#leave(false);
  }

  #leave(hasAll: boolean): void {
    this.#gone = true;
    this.#log.onLeft(hasAll);
    this.#wake();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  /** Resolves when there is something to send: events, the end, or a sign of life. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const forget = this.#log.onNext(() => this.#wake());
      const timer = setTimeout(() => this.#wake(), this.#keepAliveMs).unref();
    });
  }
}
