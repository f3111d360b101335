/** A run whose calls are answered elsewhere, as one log: its reader sees it simply go on. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from '../domain/caller.ts';
import { seesCalls } from '../objects/objects.ts';
import type { Service } from '../service.ts';
import type { RunRecord } from '../store/records.ts';
import { runById } from '../store/runs.ts';
import { errorEvent } from '../worker/end-run.ts';
import { EventLog } from '../worker/event-log.ts';
import { followRun } from './follow.ts';
import { watchRun } from './watch.ts';

/** Milliseconds between two looks at a run that waits: it may be cancelled, or go on in another process. */
const LOOK_MS = 1000;

type Parts = Pick<Service, 'store' | 'hub' | 'followers'>;

/** What a caller reads of a run: where its calls are answered for it, one log over all attempts. */
export const logFor = (
  caller: Caller | undefined,
  service: Parts,
  run: RunRecord,
  log: EventLog,
): EventLog => (seesCalls(run, caller) ? log : acrossCalls(service, run.id, log));

/** @param log of the run's first attempt, or where to read on */
function acrossCalls(service: Parts, runId: string, log: EventLog): EventLog {
  const { store, hub } = service;
  const whole = new EventLog();
  const logs = [log];
  /** Number of the last event that was read. */
  let position = -1;
  let wake = () => {};
  const forget = hub.onOpen(runId, (next) => {
    logs.push(next);
    wake();
  });

  /** Passes an attempt's events on. @returns whether the run waits then */
  const passOn = async (attempt: EventLog): Promise<boolean> => {
    let waits = false;
    position = attempt.first - 1;
    for await (const event of attempt.read()) {
      if (event.event === 'done') break;
      position += 1;
      if (event.event === 'thread.run.requires_action') waits = true;
      else whole.append(event);
    }
    return waits;
  };

  const next = async (): Promise<EventLog> => {
    while (logs.length === 0) {
      const news = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([news, delay(LOOK_MS, undefined, { ref: false })]);
      if (logs.length > 0) break;
      const run = await runById(store.db, runId);
      if (run?.status !== 'requires_action' && !hub.isHeld(runId) && logs.length === 0) {
        return store.shared ? followRun(service, runId, position) : watchRun(service, runId);
      }
    }
    return logs.shift()!;
  };

  const follow = async () => {
    while (await passOn(await next()));
  };
  follow()
    .catch((error: unknown) => whole.append(errorEvent(`The run could not be read: ${String(error)}.`)))
    .finally(() => {
      forget();
      whole.end();
    });
  return whole;
}
