/** The models of the provider behind the engine. */
import { Hono } from 'hono';
import { modelNotFound } from '../../domain/errors.ts';
import type { Service } from '../../service.ts';
import type { RouteEnv } from './http.ts';

/** Who owns a model and since when nobody tells. */
const modelObject = (id: string) => ({ id, object: 'model', created: 0, owned_by: 'system' });

export function modelRoutes({ models }: Service): Hono<RouteEnv> {
  const routes = new Hono<RouteEnv>();

  routes.get('/', async (c) => c.json({ object: 'list', data: (await models.names()).map(modelObject) }));

  // Names such as org/model have slashes in them.
  routes.get('/:model{.+}', async (c) => {
    const name = c.req.param('model');
    if (!(await models.names()).includes(name)) throw modelNotFound(name);
    return c.json(modelObject(name));
  });

  return routes;
}
