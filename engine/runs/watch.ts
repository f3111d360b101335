/** Following a run that this process has not in hand: it has ended, waits for tools, or runs in another process. */
import { setTimeout as delay } from 'node:timers/promises';
import { isActive } from '../domain/run-states.ts';
import type { Service } from '../service.ts';
import { runById } from '../store/runs.ts';
import { errorEvent, goneEvent, runEvent } from '../worker/end-run.ts';
import { EventLog } from '../worker/event-log.ts';

/** Milliseconds between two looks at a run that goes on elsewhere. */
const LOOK_MS = 250;

/** The run's status, again whenever it has changed, until it has ended or asks for tool outputs. */
export function watchRun({ store }: Pick<Service, 'store'>, runId: string): EventLog {
  const log = new EventLog();
  const follow = async () => {
    for (let seen = ''; ; await delay(LOOK_MS, undefined, { ref: false })) {
      const run = await runById(store.db, runId);
      if (!run) return log.append(goneEvent(runId));
      if (run.status !== seen) log.append(runEvent(run));
      seen = run.status;
      if (!isActive(run.status) || run.status === 'requires_action') return;
    }
  };
  follow()
    .catch((error: unknown) => log.append(errorEvent(`The run could not be read: ${String(error)}.`)))
    .finally(() => log.end());
  return log;
}
