/** Which run a request with a key against repeating has made. */
import type { RunRecord } from './records.ts';
import { runById } from './runs.ts';
import type { Db } from './store.ts';

/** The run that an earlier request of the same key has made; undefined where there was none, or it was deleted. */
export async function runMadeBy(db: Db, key: string): Promise<RunRecord | undefined> {
  const row = await db
    .selectFrom('idempotency_keys')
    .select('run_id')
    .where('key', '=', key)
    .executeTakeFirst();
  return row && runById(db, row.run_id);
}

/** Keeps a key as long as the run that it has made. */
export async function keepKey(db: Db, key: string, run_id: string): Promise<void> {
  await db.insertInto('idempotency_keys').values({ key, run_id }).execute();
}
