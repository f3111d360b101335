import { Hono } from 'hono';
import { unknownPathId } from '../../domain/errors.ts';
import { threadObject } from '../../objects/objects.ts';
import { stopRunsOf } from '../../runs/cancel.ts';
import { checkMessages } from '../../runs/capabilities.ts';
import { createThreadAndRun } from '../../runs/create.ts';
import type { Service } from '../../service.ts';
import { insertThread, storedResources, threadOf } from '../../store/threads.ts';
import * as bodies from '../schemas/bodies.ts';
import { type RouteEnv, readBody, runResponse } from './http.ts';
import { eventStream } from './sse.ts';

export function threadRoutes(service: Service): Hono<RouteEnv> {
  const { db, now } = service;
  const routes = new Hono<RouteEnv>();

  routes.post('/', async (c) => {
    const body = readBody(c, bodies.createThread);
    checkMessages(service, body.messages);
    const thread = await db.transaction().execute((trx) => insertThread(trx, body, now()));
    return c.json(threadObject(thread));
  });

  routes.post('/runs', async (c) => {
    const body = readBody(c, bodies.createThreadAndRun);
    const { run, log } = await createThreadAndRun(service, body);
    return body.stream ? eventStream(log, c.env.signal) : runResponse(c, run);
  });

  routes.get('/:thread_id', async (c) => c.json(threadObject(await threadOf(db, c.req.param('thread_id')))));

  routes.post('/:thread_id', async (c) => {
    const id = c.req.param('thread_id');
    const body = readBody(c, bodies.modifyThread);
    await threadOf(db, id);
    const changes = {
      ...(body.metadata !== undefined && { metadata: JSON.stringify(body.metadata ?? {}) }),
      ...(body.tool_resources !== undefined && { tool_resources: storedResources(body.tool_resources) }),
    };
    if (Object.keys(changes).length > 0) {
      await db.updateTable('threads').set(changes).where('id', '=', id).execute();
    }
    return c.json(threadObject(await threadOf(db, id)));
  });

  routes.delete('/:thread_id', async (c) => {
    const id = c.req.param('thread_id');
    await stopRunsOf(service, id);
    const { numDeletedRows } = await db.deleteFrom('threads').where('id', '=', id).executeTakeFirst();
    if (numDeletedRows === 0n) throw unknownPathId('thread', id);
    return c.json({ id, object: 'thread.deleted', deleted: true });
  });

  return routes;
}
