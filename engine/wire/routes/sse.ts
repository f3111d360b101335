import type { EventLog } from '../../worker/event-log.ts';

/** Milliseconds of silence after which a comment is sent: below the idle limits of common proxies and clients. */
const KEEP_ALIVE_MS = 15_000;

/**
 * A log as a stream of server-sent events, from its start to its end.
 * A reader that goes away, by cancel or by signal, ends its stream and nothing else; for one that does not read,
 * nothing is prepared, and no timer keeps the log in memory.
 * @param keepAliveMs for tests.
 */
export function eventStream(
  log: EventLog,
  signal?: AbortSignal | null,
  keepAliveMs = KEEP_ALIVE_MS,
): Response {
  const encoder = new TextEncoder();
  let position = 0;
  let gone = false;
  let wake = () => {};
  let onAbort = () => {};
  const letGo = () => {
    gone = true;
    wake();
    signal?.removeEventListener('abort', onAbort);
  };
  /** Resolves when there is something to send: events, the end, or a sign of life. */
  const news = () =>
    new Promise<void>((resolve) => {
      wake = () => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const forget = log.onNext(() => wake());
      const timer = setTimeout(() => wake(), keepAliveMs).unref();
    });
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => {
          letGo();
          controller.error(signal!.reason);
        };
        if (signal?.aborted) return onAbort();
        signal?.addEventListener('abort', onAbort, { once: true });
      },
      async pull(controller) {
        if (log.length === position && !log.ended) await news();
        if (gone) return;
        const frames = log.frames(position);
        position = log.length;
        controller.enqueue(encoder.encode(frames || ': keep-alive\n\n'));
        if (!log.ended) return;
        letGo();
        controller.close();
      },
      cancel: letGo,
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
  });
}
