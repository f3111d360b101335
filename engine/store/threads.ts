import type { Kysely } from 'kysely';
import { unknownPathId } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { CreateThread } from '../wire/schemas/bodies.ts';
import { insertMessages, newMessage } from './messages.ts';
import type { Tables, ThreadRow } from './schema.ts';

/** @throws ApiError 404, or 400 for an id of another kind. */
export async function threadOf(db: Kysely<Tables>, threadId: string): Promise<ThreadRow> {
  const row = await db.selectFrom('threads').selectAll().where('id', '=', threadId).executeTakeFirst();
  if (!row) throw unknownPathId('thread', threadId);
  return row;
}

/** `vector_stores: []` asks for nothing and is not kept. */
export function storedResources(resources: CreateThread['tool_resources']): string {
  const { file_search, ...rest } = resources ?? {};
  return JSON.stringify({
    ...rest,
    ...(file_search && { file_search: { vector_store_ids: file_search.vector_store_ids ?? [] } }),
  });
}

/** Makes a thread and its first messages; to be called in a transaction. */
export async function insertThread(db: Kysely<Tables>, body: CreateThread, now: number): Promise<ThreadRow> {
  const thread: ThreadRow = {
    id: newId('thread'),
    created_at: now,
    tool_resources: storedResources(body.tool_resources),
    metadata: JSON.stringify(body.metadata ?? {}),
  };
  await db.insertInto('threads').values(thread).execute();
  await insertMessages(
    db,
    (body.messages ?? []).map((message) => newMessage(thread.id, message, now)),
  );
  return thread;
}
