/** The models of the provider behind the engine. */
import { Hono } from 'hono';
import { modelNotFound } from '../../domain/errors.ts';
import type { Service } from '../../service.ts';
import { assistantsNamed } from '../../store/assistants.ts';
import { page } from '../../store/paging.ts';
import type { AssistantRecord } from '../../store/records.ts';
import { maySee } from '../access.ts';
import type { RouteEnv } from './http.ts';

/** Who owns a model and since when nobody tells. */
const modelObject = (id: string) => ({ id, object: 'model', created: 0, owned_by: 'system' });

/** An assistant as chat programs know it. */
const assistantModel = ({ id, name, created_at }: AssistantRecord) => ({
  ...modelObject(id),
  created: created_at,
  owned_by: 'assistants',
  ...(name && { name }),
});

/** Assistants that are listed at most. */
const MOST = 1000;

export function modelRoutes({ models, store: { db } }: Service): Hono<RouteEnv> {
  const routes = new Hono<RouteEnv>();

  // Other programs see the assistants first: those are what they can talk to.
  routes.get('/', async (c) => {
    const { caller } = c.env;
    const all = caller ? (await page(db, 'assistants', {}, { limit: MOST, order: 'asc' })).items : [];
    const assistants = all.filter(({ id }) => maySee(caller, id)).map(assistantModel);
    return c.json({ object: 'list', data: [...assistants, ...(await models.names()).map(modelObject)] });
  });

  // Names such as org/model have slashes in them.
  routes.get('/:model{.+}', async (c) => {
    const name = c.req.param('model');
    const [assistant] = c.env.caller ? await assistantsNamed(db, name) : [];
    if (assistant && maySee(c.env.caller, assistant.id)) return c.json(assistantModel(assistant));
    if (!(await models.names()).includes(name)) throw modelNotFound(name);
    return c.json(modelObject(name));
  });

  return routes;
}
