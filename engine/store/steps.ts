/** Queries on steps, and on the message that a step makes: a run has at most one of each open. */
import { fromRow, type MessageRecord, type RunRecord, type StepRecord, toRow } from './records.ts';
import { holdAttempt } from './runs.ts';
import type { Db } from './store.ts';
import { atomically } from './store.ts';

/** The step and the message that a run has not finished. */
export interface Open {
  step?: StepRecord | undefined;
  message?: MessageRecord | undefined;
}

export async function findStep(db: Db, runId: string, stepId: string): Promise<StepRecord | undefined> {
  const row = await db
    .selectFrom('steps')
    .selectAll()
    .where('id', '=', stepId)
    .where('run_id', '=', runId)
    .executeTakeFirst();
  return row && fromRow('steps', row);
}

/** The completed steps of runs, in order, by run. */
export async function completedSteps(db: Db, runIds: string[]): Promise<Map<string, StepRecord[]>> {
  const byRun = new Map<string, StepRecord[]>(runIds.map((id) => [id, []]));
  if (runIds.length === 0) return byRun;
  const rows = await db
    .selectFrom('steps')
    .selectAll()
    .where('run_id', 'in', runIds)
    .where('status', '=', 'completed')
    .orderBy('seq')
    .execute();
  for (const row of rows) byRun.get(row.run_id)!.push(fromRow('steps', row));
  return byRun;
}

/** What a run has open. */
export async function openParts(db: Db, runId: string): Promise<Open> {
  const step = await db
    .selectFrom('steps')
    .selectAll()
    .where('run_id', '=', runId)
    .where('status', '=', 'in_progress')
    .executeTakeFirst();
  const message = await db
    .selectFrom('messages')
    .selectAll()
    .where('run_id', '=', runId)
    .where('status', '=', 'in_progress')
    .executeTakeFirst();
  return { step: step && fromRow('steps', step), message: message && fromRow('messages', message) };
}

export async function insertStep(db: Db, step: StepRecord): Promise<void> {
  await db.insertInto('steps').values(toRow('steps', step)).execute();
}

/** Adds a step, and the message that it makes. @throws Superseded */
export async function insertParts(
  db: Db,
  run: Pick<RunRecord, 'id' | 'attempt'>,
  step: StepRecord,
  message?: MessageRecord,
): Promise<void> {
  await atomically(db, async (trx) => {
    await holdAttempt(trx, run);
    await insertStep(trx, step);
    if (message) await trx.insertInto('messages').values(toRow('messages', message)).execute();
  });
}

/**
 * Writes parts as they are now; to be called in a transaction where both are given. Nothing is changed of a part that
 * is gone, or that another process has closed meanwhile.
 */
export async function saveParts(db: Db, { message, step }: Open): Promise<void> {
  if (message) {
    const { content, status, completed_at, incomplete_at, incomplete_reason } = message;
    await db
      .updateTable('messages')
      .set(toRow('messages', { content, status, completed_at, incomplete_at, incomplete_reason }))
      .where('id', '=', message.id)
      .where('status', '=', 'in_progress')
      .execute();
  }
  if (step) {
    const { status, details, last_error, usage, memory } = step;
    const { completed_at, failed_at, cancelled_at, expired_at } = step;
    const times = { completed_at, failed_at, cancelled_at, expired_at };
    await db
      .updateTable('steps')
      .set(toRow('steps', { status, details, last_error, usage, memory, ...times }))
      .where('id', '=', step.id)
      .where('status', '=', 'in_progress')
      .execute();
  }
}
