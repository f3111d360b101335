/** Threads that go with their run: those of chats that name no conversation. */
import { isActive } from '../domain/run-states.ts';
import type { Service } from '../service.ts';
import { runById } from '../store/runs.ts';
import { atomically } from '../store/store.ts';
import { deleteThread } from '../store/threads.ts';
import type { EventLog } from '../worker/event-log.ts';

type Parts = Pick<Service, 'store' | 'log'>;

/** Deletes the thread of a run that has ended, if it goes with it; failing to is no failure of the run. */
export async function forgetThread({ store, log }: Parts, runId: string): Promise<void> {
  try {
    const run = await runById(store.db, runId);
    if (!run?.options.forgetsThread || isActive(run.status)) return;
    await atomically(store.db, (trx) => deleteThread(trx, run.thread_id));
  } catch (error) {
    log.warn(`The thread of run ${runId} could not be deleted: ${String(error)}`);
  }
}

/**
 * As forgetThread, once a run has been read to its end, whoever else reads it; a run that waits goes on some day. Where
 * this process is gone by then, the housekeeping sees to it.
 */
export async function forgetThreadAfter(service: Parts, runId: string, log: EventLog): Promise<void> {
  for await (const _ of log.read());
  await forgetThread(service, runId);
}
