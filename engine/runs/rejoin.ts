/** Another reader of a run, on whichever machine it comes in. */
import { isActive } from '../domain/run-states.ts';
import type { Service } from '../service.ts';
import type { RunRecord } from '../store/records.ts';
import type { EventLog } from '../worker/event-log.ts';
import { followRun } from './follow.ts';
import { watchRun } from './watch.ts';

/** A log, and the index of its first event that the reader wants. */
export interface Rejoined {
  log: EventLog;
  from: number;
}

/**
 * @param after number of the last event that the reader has (see EventLog.first); undefined for all of the attempt
 *   that is going on. What is not known any more is left out: without other machines, earlier attempts are forgotten.
 * @param signal the reader's
 */
export function rejoin(
  service: Service,
  run: RunRecord,
  after: number | undefined,
  signal?: AbortSignal | null,
): Rejoined {
  const log = service.hub.get(run.id);
  const isTold = service.store.shared !== undefined;
  if (log && (after === undefined || after >= log.first - 1 || log.told === undefined)) {
    return { log, from: after === undefined ? 0 : Math.max(0, after + 1 - log.first) };
  }
  const isInWork = isActive(run.status) && run.status !== 'requires_action';
  if (!isTold || (after === undefined && !isInWork)) return { log: watchRun(service, run.id), from: 0 };
  // An attempt begins with the run's creation, or with the two events that follow its outputs.
  const start = run.events - 2 || -1;
  return { log: followRun(service, run.id, after ?? start, signal), from: 0 };
}
