/** The paths of threads, and of a thread made together with its run. */
import { Hono } from 'hono';
import { unknownPathId } from '../../domain/errors.ts';
import { keptResources } from '../../objects/new-records.ts';
import { threadObject } from '../../objects/objects.ts';
import { logFor } from '../../runs/across-calls.ts';
import { stopRunOf } from '../../runs/cancel.ts';
import { checkMessages } from '../../runs/capabilities.ts';
import { createThreadAndRun, insertNewThread } from '../../runs/create.ts';
import * as bodies from '../../schemas/bodies.ts';
import type { Service } from '../../service.ts';
import { atomically } from '../../store/store.ts';
import { deleteThread, threadOf, updateThread } from '../../store/threads.ts';
import { type RouteEnv, readBody, runResponse } from './http.ts';
import { eventStream } from './sse.ts';

export function threadRoutes(service: Service): Hono<RouteEnv> {
  const { now } = service;
  const { db } = service.store;
  const routes = new Hono<RouteEnv>();

  routes.post('/', async (c) => {
    const body = readBody(c, bodies.createThread);
    checkMessages(service, body.messages);
    const thread = await atomically(db, (trx) => insertNewThread(trx, body, now(), c.env.caller?.id));
    return c.json(threadObject(thread));
  });

  routes.post('/runs', async (c) => {
    const body = readBody(c, bodies.createThreadAndRun);
    const { run, log } = await createThreadAndRun(service, body, { caller: c.env.caller });
    return body.stream
      ? eventStream(logFor(c.env.caller, service, run, log), c.env.signal)
      : runResponse(c, run);
  });

  routes.get('/:thread_id', async (c) => c.json(threadObject(await threadOf(db, c.req.param('thread_id')))));

  routes.post('/:thread_id', async (c) => {
    const id = c.req.param('thread_id');
    const body = readBody(c, bodies.modifyThread);
    await threadOf(db, id);
    await updateThread(db, id, {
      ...(body.metadata !== undefined && { metadata: body.metadata ?? {} }),
      ...(body.tool_resources !== undefined && { tool_resources: keptResources(body.tool_resources) }),
    });
    return c.json(threadObject(await threadOf(db, id)));
  });

  routes.delete('/:thread_id', async (c) => {
    const id = c.req.param('thread_id');
    await stopRunOf(service, id);
    if (!(await deleteThread(db, id))) throw unknownPathId('thread', id);
    return c.json({ id, object: 'thread.deleted', deleted: true });
  });

  return routes;
}
