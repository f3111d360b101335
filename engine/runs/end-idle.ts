/** Ending runs that nobody is at work on: they wait for outputs, or their process is dead. */
import type { EndName } from '../domain/run-states.ts';
import type { LastError } from '../domain/types.ts';
import type { Service } from '../service.ts';
import { endRun } from '../worker/end-run.ts';

type Parts = Pick<Service, 'store' | 'hub' | 'outbox' | 'now'>;

/**
 * Ends a run and lets everybody know; what an attempt at it may still write comes too late.
 * @returns false where the run no longer was where this ending starts
 */
export async function endIdle(
  { store, hub, outbox, now }: Parts,
  runId: string,
  name: EndName,
  lastError?: LastError,
): Promise<boolean> {
  const ending = { name, now: now(), lastError, supersedes: true };
  const events = await endRun(store.db, runId, ending, undefined, outbox.tellNext);
  if (events) hub.append(runId, events);
  return events !== undefined;
}
