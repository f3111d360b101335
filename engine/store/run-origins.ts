/** What runs came from, as the program that the engine lives in tells it; never in the user's metadata. */
import type { Insertable, Selectable } from 'kysely';
import type { RunOriginsTable } from './schema.ts';
import type { Db } from './store.ts';

export type OriginRow = Selectable<RunOriginsTable>;

/** Writes what is known of a run's origin; what was known before and is not told again stays. */
export async function keepOrigin(db: Db, origin: Insertable<RunOriginsTable>): Promise<void> {
  const { run_id: _, ...columns } = origin;
  await db
    .insertInto('run_origins')
    .values(origin)
    .onConflict((conflict) => conflict.column('run_id').doUpdateSet(columns))
    .execute();
}

/** Writes by whose key another program has made a run. */
export async function keepCaller(db: Db, run_id: string, name: string): Promise<void> {
  const nowhere = { node_id: '', flow_id: '', msg_id: '', conversation: null, took: null, marks: null };
  await keepOrigin(db, { run_id, ...nowhere, name });
}

/** The origins of some runs, by run; those of runs that nobody told of are missing. */
export async function originsOf(db: Db, runIds: readonly string[]): Promise<Map<string, OriginRow>> {
  if (runIds.length === 0) return new Map();
  const rows = await db.selectFrom('run_origins').selectAll().where('run_id', 'in', runIds).execute();
  return new Map(rows.map((row) => [row.run_id, row]));
}
