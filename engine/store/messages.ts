/** Queries on messages. */
import { fromRow, type MessageRecord, type Stored, toRow } from './records.ts';
import type { Db } from './store.ts';

/** Rows per insert: below the limit of bound values. */
const CHUNK = 500;

/** Adds messages at the thread's end, in their order. */
export async function insertMessages(db: Db, messages: MessageRecord[]): Promise<void> {
  for (let i = 0; i < messages.length; i += CHUNK) {
    const rows = messages.slice(i, i + CHUNK).map((message) => toRow('messages', message));
    await db.insertInto('messages').values(rows).execute();
  }
}

export async function findMessage(
  db: Db,
  threadId: string,
  messageId: string,
): Promise<MessageRecord | undefined> {
  const row = await db
    .selectFrom('messages')
    .selectAll()
    .where('id', '=', messageId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst();
  return row && fromRow('messages', row);
}

export async function updateMessage(
  db: Db,
  threadId: string,
  messageId: string,
  changes: Pick<MessageRecord, 'metadata'>,
): Promise<void> {
  await db
    .updateTable('messages')
    .set(toRow('messages', changes))
    .where('id', '=', messageId)
    .where('thread_id', '=', threadId)
    .execute();
}

/** @returns whether there was one */
export async function deleteMessage(db: Db, threadId: string, messageId: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('messages')
    .where('id', '=', messageId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export const hasUserMessage = async (db: Db, threadId: string): Promise<boolean> =>
  (await db
    .selectFrom('messages')
    .select('id')
    .where('thread_id', '=', threadId)
    .where('role', '=', 'user')
    .limit(1)
    .executeTakeFirst()) !== undefined;

/**
 * Some messages of a thread, the newest first.
 * @param from the first that counts (seq)
 * @param before only those older than this one (seq); undefined for the newest of all
 */
export async function newestMessages(
  db: Db,
  threadId: string,
  { from, before, limit }: { from: number; before: number | undefined; limit: number },
): Promise<Stored<'messages'>[]> {
  let query = db
    .selectFrom('messages')
    .selectAll()
    .where('thread_id', '=', threadId)
    .where('seq', '>=', from)
    .orderBy('seq', 'desc')
    .limit(limit);
  if (before !== undefined) query = query.where('seq', '<', before);
  return (await query.execute()).map((row) => fromRow('messages', row));
}

export async function firstMessage(db: Db, threadId: string): Promise<Stored<'messages'> | undefined> {
  const row = await db
    .selectFrom('messages')
    .selectAll()
    .where('thread_id', '=', threadId)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return row && fromRow('messages', row);
}
