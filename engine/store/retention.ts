/** Deletes threads that nobody has used for long, a few at a time, and gives the space back. */
import { sql } from 'kysely';
import { ACTIVE } from './runs.ts';
import { atomically, type Db } from './store.ts';

/** Threads that one step looks at, and rows that it deletes at most: some milliseconds on a small machine. */
const THREADS_A_STEP = 50;
const ROWS_A_STEP = 500;

/** What the options of such a run end with, in the words of the index. */
const FORGETS = sql.lit('%,"forgetsThread":true}');

/**
 * Runs that ended before a time and have their thread still, though that goes with them.
 * @param before seconds since 1970
 */
export const runsToForget = (db: Db, before: number): Promise<{ id: string }[]> =>
  db
    .selectFrom('runs')
    .select('id')
    .where('active', '=', sql.lit(0 as const))
    .where('options', 'like', FORGETS)
    .where(
      ({ fn, val }) => fn.coalesce('completed_at', 'failed_at', 'cancelled_at', 'expires_at', val(0)),
      '<',
      before,
    )
    .orderBy('seq')
    .limit(THREADS_A_STEP)
    .execute();

/** Where a walk over the threads stands: behind this one. */
export interface Place {
  created_at: number;
  id: string;
}

export interface Step {
  /** Undefined when the walk has come to its end. */
  next: Place | undefined;
  /** Threads deleted. */
  deleted: number;
}

/**
 * One step of the walk: deletes what of the next threads was last used before a time. A thread counts as used by its
 * creation, its last message and its last run; one with an active run stays, whatever its age.
 * @param before seconds since 1970
 */
export async function deleteUnused(db: Db, before: number, from: Place | undefined): Promise<Step> {
  const threads = await db
    .selectFrom('threads')
    .select(['id', 'created_at'])
    .where('created_at', '<', before)
    .$if(from !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, id) > (${from?.created_at}, ${from?.id})`),
    )
    .orderBy('created_at')
    .orderBy('id')
    .limit(THREADS_A_STEP)
    .execute();
  let deleted = 0;
  let rows = 0;
  let next: Place | undefined;
  for (const { id, created_at } of threads) {
    const left = ROWS_A_STEP - rows;
    const part = await atomically(db, async (trx) => {
      // Nobody begins a run on it, or adds a message, between the look and the deletion.
      await trx.selectFrom('threads').select('id').where('id', '=', id).forNoKeyUpdate().execute();
      return (await isUnused(trx, id, before)) ? deletePart(trx, id, left) : undefined;
    });
    if (part !== undefined) {
      rows += part;
      // A long one goes on with the next step.
      if (rows >= ROWS_A_STEP) return { next: next ?? from ?? { created_at: 0, id: '' }, deleted };
      deleted += 1;
    }
    next = { created_at, id };
  }
  return { next: threads.length < THREADS_A_STEP ? undefined : next, deleted };
}

async function isUnused(db: Db, threadId: string, before: number): Promise<boolean> {
  const active = await db
    .selectFrom('runs')
    .select('id')
    .where('thread_id', '=', threadId)
    .where('active', '=', ACTIVE)
    .executeTakeFirst();
  if (active) return false;
  const run = await db
    .selectFrom('runs')
    .select(['created_at', 'completed_at', 'failed_at', 'cancelled_at'])
    .where('thread_id', '=', threadId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const message = await db
    .selectFrom('messages')
    .select('created_at')
    .where('thread_id', '=', threadId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const used = Math.max(...Object.values(run ?? {}).map(Number), message?.created_at ?? 0);
  return used < before;
}

/** Deletes a thread with all that is in it, or the first of its rows if there are more. @returns rows deleted */
async function deletePart(db: Db, threadId: string, most: number): Promise<number> {
  let rows = 0;
  for (const table of ['messages', 'runs'] as const) {
    const oldest = await db
      .selectFrom(table)
      .select('seq')
      .where('thread_id', '=', threadId)
      .orderBy('seq')
      .limit(most - rows)
      .execute();
    rows += oldest.length;
    if (oldest.length === 0) continue;
    await db
      .deleteFrom(table)
      .where('thread_id', '=', threadId)
      .where('seq', '<=', oldest.at(-1)?.seq ?? 0)
      .execute();
    if (rows >= most) return rows;
  }
  await db.deleteFrom('threads').where('id', '=', threadId).execute();
  return rows + 1;
}

/** How much there is. */
export async function countAll(db: Db): Promise<{ threads: number; runs: number }> {
  const count = async (table: 'threads' | 'runs') => {
    const row = await db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  };
  return { threads: await count('threads'), runs: await count('runs') };
}
