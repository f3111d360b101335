/** Cancelling runs, and ending those of a thread that is deleted. */
import { cancelWrongStatus, unknownPathId } from '../domain/errors.ts';
import type { Service } from '../service.ts';
import type { RunRecord } from '../store/records.ts';
import { activeRunId, findRun, runById, transition } from '../store/runs.ts';
import { atomically } from '../store/store.ts';
import { threadOf } from '../store/threads.ts';
import { endIdle } from './end-idle.ts';

/**
 * Marks a run as cancelling and ends its model request at once; the rest follows on its own.
 * @returns the run, cancelling.
 * @throws ApiError 400 for a run that is cancelling or has ended, 404.
 */
export async function cancelRun(service: Service, threadId: string, runId: string): Promise<RunRecord> {
  const { executor, store, workerId } = service;
  const { db } = store;
  await threadOf(db, threadId);
  /** Another machine ends it, and says what its model has said so far. */
  let isElsewhere = false;
  const run = await atomically(db, async (trx) => {
    const before = store.shared && (await runById(trx, runId));
    const row = await transition(trx, runId, 'cancel', service.now());
    isElsewhere = before?.status === 'in_progress' && before.worker !== workerId;
    if (row && isElsewhere) await store.shared?.ring(trx, 'cancel', [runId]);
    return row;
  });
  if (run) {
    if (!executor.stop(runId, 'cancel') && !isElsewhere) finishCancel(service, runId);
    return run;
  }
  const found = await findRun(db, threadId, runId);
  if (!found) throw unknownPathId('run', runId);
  throw cancelWrongStatus(found.status);
}

/** Ends a cancelling run that nobody works on; should that fail, the sweep does it. */
function finishCancel(service: Service, runId: string): void {
  endIdle(service, runId, 'cancelled').catch((error: unknown) =>
    service.log.error(`Run ${runId} could not be cancelled: ${String(error)}`),
  );
}

/** Ends the model request of a thread that is about to be deleted. */
export async function stopRunOf({ store, executor }: Service, threadId: string): Promise<void> {
  const active = await activeRunId(store.db, threadId);
  if (active && !executor.stop(active, 'deleted')) await store.shared?.ring(store.db, 'deleted', [active]);
}
