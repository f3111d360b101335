/** Queries on threads. */
import { unknownPathId } from '../domain/errors.ts';
import { fromRow, type ThreadRecord, toRow } from './records.ts';
import { ACTIVE } from './runs.ts';
import type { Db } from './store.ts';

/** @throws ApiError 404, or 400 for an id of another kind. */
export async function threadOf(db: Db, threadId: string): Promise<ThreadRecord> {
  const row = await db.selectFrom('threads').selectAll().where('id', '=', threadId).executeTakeFirst();
  if (!row) throw unknownPathId('thread', threadId);
  return fromRow('threads', row);
}

/** In a transaction: no other begins a run on the thread or adds a message meanwhile. @throws as threadOf */
export async function lockedThread(trx: Db, threadId: string): Promise<ThreadRecord> {
  const row = await trx
    .selectFrom('threads')
    .selectAll()
    .where('id', '=', threadId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) throw unknownPathId('thread', threadId);
  return fromRow('threads', row);
}

export async function insertThread(db: Db, thread: ThreadRecord): Promise<void> {
  await db.insertInto('threads').values(toRow('threads', thread)).execute();
}

/** Makes a thread, unless there is one of that id. @returns whether it did */
export async function insertThreadOnce(db: Db, thread: ThreadRecord): Promise<boolean> {
  const row = await db
    .insertInto('threads')
    .values(toRow('threads', thread))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function updateThread(
  db: Db,
  threadId: string,
  changes: Partial<Pick<ThreadRecord, 'tool_resources' | 'metadata'>>,
): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  await db.updateTable('threads').set(toRow('threads', changes)).where('id', '=', threadId).execute();
}

/** In a transaction: deletes a thread with all that is in it. @returns whether there was one */
export async function deleteThread(trx: Db, threadId: string): Promise<boolean> {
  // In the order of whoever writes for the run: two that hold what the other wants would wait for a second.
  await trx
    .selectFrom('runs')
    .select('id')
    .where('thread_id', '=', threadId)
    .where('active', '=', ACTIVE)
    .forUpdate()
    .execute();
  const { numDeletedRows } = await trx.deleteFrom('threads').where('id', '=', threadId).executeTakeFirst();
  return numDeletedRows > 0n;
}
