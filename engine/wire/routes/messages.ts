/** The paths of messages. */
import { Hono } from 'hono';
import { threadLockedForMessage, unknownPathId } from '../../domain/errors.ts';
import { newMessage } from '../../objects/new-records.ts';
import { messageObject } from '../../objects/objects.ts';
import { checkMessages } from '../../runs/capabilities.ts';
import { createMessage, modifyMetadata } from '../../schemas/bodies.ts';
import { parseListQuery } from '../../schemas/queries.ts';
import type { Service } from '../../service.ts';
import { deleteMessage, findMessage, insertMessages, updateMessage } from '../../store/messages.ts';
import { page } from '../../store/paging.ts';
import { activeRunId } from '../../store/runs.ts';
import { atomically } from '../../store/store.ts';
import { lockedThread, threadOf } from '../../store/threads.ts';
import { listObject, queryOf, type RouteEnv, readBody } from './http.ts';

export function messageRoutes(service: Service): Hono<RouteEnv> {
  const { now } = service;
  const { db } = service.store;
  const routes = new Hono<RouteEnv>();

  routes.get('/threads/:thread_id/messages', async (c) => {
    const { run_id, ...query } = parseListQuery(queryOf(c));
    const { id: thread_id } = await threadOf(db, c.req.param('thread_id'));
    const where = { thread_id, ...(run_id && { run_id }) };
    return c.json(listObject(await page(db, 'messages', where, query), messageObject));
  });

  routes.post('/threads/:thread_id/messages', async (c) => {
    const body = readBody(c, createMessage);
    checkMessages(service, [body]);
    const threadId = c.req.param('thread_id');
    const message = await atomically(db, async (trx) => {
      await lockedThread(trx, threadId);
      const active = await activeRunId(trx, threadId);
      if (active) throw threadLockedForMessage(threadId, active);
      const added = newMessage(threadId, body, now());
      await insertMessages(trx, [added]);
      return added;
    });
    return c.json(messageObject(message));
  });

  routes.get('/threads/:thread_id/messages/:message_id', async (c) => {
    const { thread_id, message_id } = c.req.param();
    await threadOf(db, thread_id);
    const message = await findMessage(db, thread_id, message_id);
    if (!message) throw unknownPathId('message', message_id);
    return c.json(messageObject(message));
  });

  routes.post('/threads/:thread_id/messages/:message_id', async (c) => {
    const { thread_id, message_id } = c.req.param();
    const { metadata } = readBody(c, modifyMetadata);
    await threadOf(db, thread_id);
    if (metadata !== undefined) {
      await updateMessage(db, thread_id, message_id, { metadata: metadata ?? {} });
    }
    const message = await findMessage(db, thread_id, message_id);
    if (!message) throw unknownPathId('message', message_id);
    return c.json(messageObject(message));
  });

  routes.delete('/threads/:thread_id/messages/:message_id', async (c) => {
    const { thread_id, message_id } = c.req.param();
    await threadOf(db, thread_id);
    if (!(await deleteMessage(db, thread_id, message_id))) throw unknownPathId('message', message_id);
    return c.json({ id: message_id, object: 'thread.message.deleted', deleted: true });
  });

  return routes;
}
