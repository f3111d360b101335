/** The paths of assistants. */
import { Hono } from 'hono';
import { unknownPathId } from '../../domain/errors.ts';
import { newId } from '../../domain/ids.ts';
import { assistantChanges, assistantFields } from '../../objects/new-records.ts';
import { assistantObject } from '../../objects/objects.ts';
import { createAssistant, modifyAssistant } from '../../schemas/bodies.ts';
import { parseListQuery } from '../../schemas/queries.ts';
import type { Service } from '../../service.ts';
import { deleteAssistant, findAssistant, insertAssistant, updateAssistant } from '../../store/assistants.ts';
import { page } from '../../store/paging.ts';
import { listObject, queryOf, type RouteEnv, readBody } from './http.ts';

export function assistantRoutes({ store: { db }, now }: Service): Hono<RouteEnv> {
  const routes = new Hono<RouteEnv>();

  routes.get('/', async (c) => {
    const { run_id: _, ...query } = parseListQuery(queryOf(c));
    const named = c.env.caller?.assistants;
    if (!named) return c.json(listObject(await page(db, 'assistants', {}, query), assistantObject));
    const found = await Promise.all(named.map((id) => findAssistant(db, id)));
    const items = found.filter((one) => one !== undefined);
    return c.json(listObject({ items, hasMore: false }, assistantObject));
  });

  routes.post('/', async (c) => {
    const body = readBody(c, createAssistant);
    const assistant = { id: newId('asst'), created_at: now(), ...assistantFields(body) };
    return c.json(assistantObject(await insertAssistant(db, assistant)));
  });

  routes.get('/:assistant_id', async (c) => {
    const id = c.req.param('assistant_id');
    const assistant = await findAssistant(db, id);
    if (!assistant) throw unknownPathId('assistant', id);
    return c.json(assistantObject(assistant));
  });

  routes.post('/:assistant_id', async (c) => {
    const id = c.req.param('assistant_id');
    const body = readBody(c, modifyAssistant);
    const assistant = await updateAssistant(db, id, assistantChanges(body));
    if (!assistant) throw unknownPathId('assistant', id);
    return c.json(assistantObject(assistant));
  });

  routes.delete('/:assistant_id', async (c) => {
    const id = c.req.param('assistant_id');
    if (!(await deleteAssistant(db, id))) throw unknownPathId('assistant', id);
    return c.json({ id, object: 'assistant.deleted', deleted: true });
  });

  return routes;
}
