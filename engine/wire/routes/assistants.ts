import { Hono } from 'hono';
import { unknownPathId } from '../../domain/errors.ts';
import { assistantObject } from '../../objects/objects.ts';
import type { Service } from '../../service.ts';
import { findAssistant, insertAssistant, updateAssistant } from '../../store/assistants.ts';
import { listObject, page } from '../../store/paging.ts';
import type { AssistantRow } from '../../store/schema.ts';
import { createAssistant, modifyAssistant } from '../schemas/bodies.ts';
import { parseListQuery } from '../schemas/queries.ts';
import { queryOf, type RouteEnv, readBody } from './http.ts';

export function assistantRoutes({ db, now }: Service): Hono<RouteEnv> {
  const routes = new Hono<RouteEnv>();

  routes.get('/', async (c) => {
    const { run_id: _, ...query } = parseListQuery(queryOf(c));
    const { rows, hasMore } = await page<'assistants', AssistantRow>(db, 'assistants', {}, query);
    return c.json(listObject(rows.map(assistantObject), hasMore));
  });

  routes.post('/', async (c) => {
    const body = readBody(c, createAssistant);
    return c.json(assistantObject(await insertAssistant(db, body, now())));
  });

  routes.get('/:assistant_id', async (c) => {
    const id = c.req.param('assistant_id');
    const row = await findAssistant(db, id);
    if (!row) throw unknownPathId('assistant', id);
    return c.json(assistantObject(row));
  });

  routes.post('/:assistant_id', async (c) => {
    const id = c.req.param('assistant_id');
    const body = readBody(c, modifyAssistant);
    const row = await updateAssistant(db, id, body);
    if (!row) throw unknownPathId('assistant', id);
    return c.json(assistantObject(row));
  });

  routes.delete('/:assistant_id', async (c) => {
    const id = c.req.param('assistant_id');
    const { numDeletedRows } = await db.deleteFrom('assistants').where('id', '=', id).executeTakeFirst();
    if (numDeletedRows === 0n) throw unknownPathId('assistant', id);
    return c.json({ id, object: 'assistant.deleted', deleted: true });
  });

  return routes;
}
