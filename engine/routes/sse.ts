import type { EventLog } from '../lifecycle/events.ts';

/** Milliseconds of silence after which a comment is sent: below the idle limits of common proxies and clients. */
const KEEP_ALIVE_MS = 15_000;

/**
 * A log as a stream of server-sent events, from its start to its end.
 * A reader that goes away, by cancel or by signal, ends its stream and nothing else.
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
  let release = () => {};
  let timer: NodeJS.Timeout | undefined;
  const letGo = () => {
    gone = true;
    release();
    clearInterval(timer);
    signal?.removeEventListener('abort', onAbort);
  };
  let onAbort = () => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => {
          letGo();
          controller.error(signal!.reason);
        };
        if (signal?.aborted) return onAbort();
        signal?.addEventListener('abort', onAbort, { once: true });
        timer = setInterval(() => {
          if (log.length === position) controller.enqueue(encoder.encode(': keep-alive\n\n'));
        }, keepAliveMs);
        timer.unref();
      },
      async pull(controller) {
        if (log.length === position && !log.ended) {
          await new Promise<void>((resolve) => {
            const forget = log.onNext(resolve);
            release = () => {
              forget();
              resolve();
            };
          });
          release = () => {};
        }
        const frames = log.frames(position);
        position = log.length;
        if (gone) return;
        if (frames) controller.enqueue(encoder.encode(frames));
        if (log.ended) {
          letGo();
          controller.close();
        }
      },
      cancel: () => letGo(),
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
  });
}
