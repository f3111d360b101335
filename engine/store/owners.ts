/** Queries on what callers have made. */
import { ACTIVE } from './runs.ts';
import type { Db } from './store.ts';

/** How many runs are under way on the threads of an owner. */
export async function countActiveRuns(db: Db, owner: string): Promise<number> {
  const { count } = await db
    .selectFrom('runs')
    .innerJoin('threads', 'threads.id', 'runs.thread_id')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('runs.active', '=', ACTIVE)
    .where('threads.owner', '=', owner)
    .executeTakeFirstOrThrow();
  return Number(count);
}
