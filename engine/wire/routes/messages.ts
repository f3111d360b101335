import { Hono } from 'hono';
import { threadLockedForMessage, unknownPathId } from '../../domain/errors.ts';
import { messageObject } from '../../objects/objects.ts';
import { checkMessages } from '../../runs/capabilities.ts';
import type { Service } from '../../service.ts';
import { findMessage, insertMessages, newMessage } from '../../store/messages.ts';
import { listObject, page } from '../../store/paging.ts';
import { activeRunId } from '../../store/runs.ts';
import type { MessageRow } from '../../store/schema.ts';
import { threadOf } from '../../store/threads.ts';
import { createMessage, modifyMetadata } from '../schemas/bodies.ts';
import { parseListQuery } from '../schemas/queries.ts';
import { queryOf, type RouteEnv, readBody } from './http.ts';

export function messageRoutes(service: Service): Hono<RouteEnv> {
  const { db, now } = service;
  const routes = new Hono<RouteEnv>();

  routes.get('/threads/:thread_id/messages', async (c) => {
    const { run_id, ...query } = parseListQuery(queryOf(c));
    const { id: thread_id } = await threadOf(db, c.req.param('thread_id'));
    const where = { thread_id, ...(run_id && { run_id }) };
    const { rows, hasMore } = await page<'messages', MessageRow>(db, 'messages', where, query);
    return c.json(listObject(rows.map(messageObject), hasMore));
  });

  routes.post('/threads/:thread_id/messages', async (c) => {
    const body = readBody(c, createMessage);
    checkMessages(service, [body]);
    const threadId = c.req.param('thread_id');
    const message = await db.transaction().execute(async (trx) => {
      await threadOf(trx, threadId);
      const active = await activeRunId(trx, threadId);
      if (active) throw threadLockedForMessage(threadId, active);
      const row = newMessage(threadId, body, now());
      await insertMessages(trx, [row]);
      return row;
    });
    return c.json(messageObject(message));
  });

  routes.get('/threads/:thread_id/messages/:message_id', async (c) => {
    const { thread_id, message_id } = c.req.param();
    await threadOf(db, thread_id);
    const row = await findMessage(db, thread_id, message_id);
    if (!row) throw unknownPathId('message', message_id);
    return c.json(messageObject(row));
  });

  routes.post('/threads/:thread_id/messages/:message_id', async (c) => {
    const { thread_id, message_id } = c.req.param();
    const { metadata } = readBody(c, modifyMetadata);
    await threadOf(db, thread_id);
    if (metadata !== undefined) {
      await db
        .updateTable('messages')
        .set({ metadata: JSON.stringify(metadata ?? {}) })
        .where('id', '=', message_id)
        .where('thread_id', '=', thread_id)
        .execute();
    }
    const row = await findMessage(db, thread_id, message_id);
    if (!row) throw unknownPathId('message', message_id);
    return c.json(messageObject(row));
  });

  routes.delete('/threads/:thread_id/messages/:message_id', async (c) => {
    const { thread_id, message_id } = c.req.param();
    await threadOf(db, thread_id);
    const { numDeletedRows } = await db
      .deleteFrom('messages')
      .where('id', '=', message_id)
      .where('thread_id', '=', thread_id)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw unknownPathId('message', message_id);
    return c.json({ id: message_id, object: 'thread.message.deleted', deleted: true });
  });

  return routes;
}
