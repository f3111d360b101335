/** Following a run that another machine has in hand, from any place in it, with the bytes that its own readers see. */
import { isActive } from '../domain/run-states.ts';
import { LONGEST_TIMER_MS } from '../domain/waits.ts';
import type { Service } from '../service.ts';
import { eventsAfter } from '../store/events.ts';
import { runById } from '../store/runs.ts';
import { errorEvent, goneEvent, runEvent } from '../worker/end-run.ts';
import { EventLog } from '../worker/event-log.ts';
import type { Followers } from '../worker/followers.ts';

/** Milliseconds after which is looked without being told; where words don't come through, more often. */
const LOOK_MS = { hearing: 1000, deaf: 100 };
const EVENTS_AT_ONCE = 1000;

/** Something new, or time to look; the signal ends it too. */
function news(followers: Followers, runId: string, ms: number, signal: AbortSignal) {
  let forget = () => {};
  const promise = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS)).unref();
    const taken = followers.onNews(runId, resolve);
    const onGone = () => resolve();
    signal.addEventListener('abort', onGone, { once: true });
    forget = () => {
      clearTimeout(timer);
      taken();
      signal.removeEventListener('abort', onGone);
    };
  });
  return { promise, forget: () => forget() };
}

/**
 * @param after number of the last event that the reader has (see EventLog.first); -1 for none
 * @param signal the reader's
 */
export function followRun(
  { store, followers }: Pick<Service, 'store' | 'followers'>,
  runId: string,
  after: number,
  signal?: AbortSignal | null,
): EventLog {
  const log = new EventLog(after + 1);
  const left = new AbortController();
  log.onLeft = () => left.abort();
  const gone = AbortSignal.any([left.signal, ...(signal ? [signal] : [])]);
  let position = after;
  const read = async () => {
    const rows = await eventsAfter(store.db, runId, position, EVENTS_AT_ONCE);
    for (const row of rows) log.appendTold(row);
    position = rows.at(-1)?.seq ?? position;
    return rows.length;
  };
  const follow = async () => {
    while (!gone.aborted) {
      const { promise, forget } = news(
        followers,
        runId,
        store.shared?.hears ? LOOK_MS.hearing : LOOK_MS.deaf,
        gone,
      );
      try {
        if ((await read()) > 0) continue;
        const run = await runById(store.db, runId);
        if (!run) return log.append(goneEvent(runId));
        if (!isActive(run.status) || run.status === 'requires_action') {
          // The state and its events are written together: all are there, or the run was told to nobody.
          if ((await read()) > 0) continue;
          const last = runEvent(run);
          if (log.events().at(-1)?.event !== last.event) log.append(last);
          return;
        }
        await promise;
      } finally {
        forget();
      }
    }
  };
  follow()
    .catch((error: unknown) => log.append(errorEvent(`The run could not be read: ${String(error)}.`)))
    .finally(() => log.end());
  return log;
}

/** Ends the log of a run that has become another process's, for its readers here: with what is told of it there. */
export async function handOver(
  service: Pick<Service, 'store' | 'followers' | 'hub'>,
  runId: string,
  log: EventLog,
): Promise<void> {
  for await (const { event, data } of followRun(service, runId, log.next - 1).read()) {
    if (event === 'done') break;
    if (typeof data === 'string') log.appendTold({ event, data });
    else log.append({ event, data });
  }
  service.hub.close(runId, log);
}
