/** Queries on runs. Every change of status goes through `transition`, which is compare-and-set. */
import { type Kysely, sql } from 'kysely';
import { changesOf, type RunPatch, TRANSITIONS, type TransitionName } from '../domain/run-states.ts';
import type { MessageRow, RunRecord, RunRow, StepRow, Tables } from './schema.ts';

/** Written into the query's text: a partial index does not serve a bound value. */
export const ACTIVE = sql.lit(1 as const);

/**
 * Moves a run along the table of states, if it still is where the transition starts.
 * @param now seconds since 1970.
 * @returns the run as it is now, or undefined when another writer was first or the run is gone.
 */
export function transition(
  db: Kysely<Tables>,
  runId: string,
  name: TransitionName,
  now: number,
  patch: RunPatch = {},
): Promise<RunRow | undefined> {
  return db
    .updateTable('runs')
    .set(changesOf(name, now, patch))
    .where('id', '=', runId)
    .where('status', 'in', [...TRANSITIONS[name].from])
    .returningAll()
    .executeTakeFirst();
}

export const findRun = (db: Kysely<Tables>, threadId: string, runId: string): Promise<RunRow | undefined> =>
  db
    .selectFrom('runs')
    .selectAll()
    .where('id', '=', runId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst();

export const runById = (db: Kysely<Tables>, runId: string): Promise<RunRow | undefined> =>
  db.selectFrom('runs').selectAll().where('id', '=', runId).executeTakeFirst();

/** The run that locks a thread, if any. */
export async function activeRunId(db: Kysely<Tables>, threadId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('runs')
    .select('id')
    .where('thread_id', '=', threadId)
    .where('active', '=', ACTIVE)
    .executeTakeFirst();
  return row?.id;
}

export async function insertRun(db: Kysely<Tables>, run: RunRecord): Promise<void> {
  await db.insertInto('runs').values(run).execute();
}

/** The step and the message that a run has not finished, at most one of each. */
export async function openParts(
  db: Kysely<Tables>,
  runId: string,
): Promise<{ step: StepRow | undefined; message: MessageRow | undefined }> {
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
  return { step, message };
}
