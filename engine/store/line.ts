/** Queries on lines; there only where several machines share the database. */
import type { Db } from './store.ts';

/** Takes those out of line whose process is gone. */
export async function leaveLines(db: Db): Promise<void> {
  await db
    .deleteFrom('line')
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('workers').select('workers.id').whereRef('workers.id', '=', 'line.worker'))),
    )
    .execute();
}
