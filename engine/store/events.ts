/** Queries on events; there only where several machines share the database. */
import type { Selectable } from 'kysely';
import type { EventsTable } from './schema.ts';
import type { Db } from './store.ts';

export type EventRow = Pick<Selectable<EventsTable>, 'seq' | 'event' | 'data' | 'ends'>;

/** Events of a run behind a number, in order. */
export const eventsAfter = (db: Db, runId: string, seq: number, limit: number): Promise<EventRow[]> =>
  db
    .selectFrom('events')
    .select(['seq', 'event', 'data', 'ends'])
    .where('run_id', '=', runId)
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(limit)
    .execute();

/** The number of a run's last event that was written; undefined where none was. */
export async function lastEventOf(db: Db, runId: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('events')
    .select(({ fn }) => fn.max('seq').as('seq'))
    .where('run_id', '=', runId)
    .executeTakeFirst();
  return row?.seq ?? undefined;
}
