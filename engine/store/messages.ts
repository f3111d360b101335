import type { Kysely } from 'kysely';
import { newId } from '../domain/ids.ts';
import type { CreateMessage } from '../wire/schemas/bodies.ts';
import type { MessageRecord, Tables } from './schema.ts';

/** Rows per insert: below SQLite's limit of bound values. */
const CHUNK = 500;

/** The wire's content parts from what a client may send: a string, or parts whose text is bare. */
function contentOf(content: CreateMessage['content']) {
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
  return parts.map((part) =>
    part.type === 'text' ? { type: 'text', text: { value: part.text, annotations: [] } } : part,
  );
}

export function newMessage(threadId: string, body: CreateMessage, now: number): MessageRecord {
  return {
    id: newId('msg'),
    thread_id: threadId,
    created_at: now,
    role: body.role,
    status: 'completed',
    content: JSON.stringify(contentOf(body.content)),
    attachments: JSON.stringify(body.attachments ?? []),
    metadata: JSON.stringify(body.metadata ?? {}),
    assistant_id: null,
    run_id: null,
    completed_at: now,
    incomplete_at: null,
    incomplete_reason: null,
  };
}

/** Adds messages at the thread's end, in their order. */
export async function insertMessages(db: Kysely<Tables>, messages: MessageRecord[]): Promise<void> {
  for (let i = 0; i < messages.length; i += CHUNK) {
    await db
      .insertInto('messages')
      .values(messages.slice(i, i + CHUNK))
      .execute();
  }
}

export const findMessage = (db: Kysely<Tables>, threadId: string, messageId: string) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('id', '=', messageId)
    .where('thread_id', '=', threadId)
    .executeTakeFirst();

export const hasUserMessage = async (db: Kysely<Tables>, threadId: string): Promise<boolean> =>
  (await db
    .selectFrom('messages')
    .select('id')
    .where('thread_id', '=', threadId)
    .where('role', '=', 'user')
    .limit(1)
    .executeTakeFirst()) !== undefined;
