/** The HTTP face of the service. Every path is answered here, in the API's own form. */
import { Hono } from 'hono';
import {
  ApiError,
  betaV1,
  methodNotAllowed,
  serverError,
  storeFailed,
  unknownUrl,
} from '../domain/errors.ts';
import { newRequestId } from '../domain/ids.ts';
import type { Service } from '../service.ts';
import { addGuards } from './access.ts';
import { chatRoutes } from './chat/routes.ts';
import { assistantRoutes } from './routes/assistants.ts';
import type { RouteEnv } from './routes/http.ts';
import { messageRoutes } from './routes/messages.ts';
import { modelRoutes } from './routes/models.ts';
import { runRoutes } from './routes/runs.ts';
import { stepRoutes } from './routes/steps.ts';
import { threadRoutes } from './routes/threads.ts';

/** The methods that paths of the API have. */
const METHODS = ['GET', 'POST', 'DELETE'];

/** Version of the API that the service's answers name. */
const API_VERSION = '2020-10-01';

/** The envelope of an error. POSTs are never to be repeated blindly: what they ask for may have been done. */
export function errorResponse(error: ApiError, method: string): Response {
  return new Response(JSON.stringify({ error: error.body }, null, 2), {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      'openai-version': API_VERSION,
      'x-request-id': newRequestId(),
      ...(method === 'POST' && { 'x-should-retry': 'false' }),
      ...error.headers,
    },
  });
}

export function createApp(service: Service): Hono<RouteEnv> {
  const app = new Hono<RouteEnv>();

  app.use(async (c, next) => {
    const start = performance.now();
    if (c.req.header('openai-beta')?.includes('assistants=v1')) throw betaV1();
    await next();
    const { headers } = c.res;
    headers.set('openai-version', API_VERSION);
    headers.set('openai-processing-ms', String(Math.round(performance.now() - start)));
    if (!headers.has('x-request-id')) headers.set('x-request-id', newRequestId());
  });

  addGuards(app, service);
  // Before the threads' own paths: /threads/runs is no thread called "runs".
  app.route('/v1/threads', threadRoutes(service));
  app.route('/v1/models', modelRoutes(service));
  app.route('/v1/chat', chatRoutes(service));
  app.route('/v1/assistants', assistantRoutes(service));
  app.route('/v1', messageRoutes(service));
  app.route('/v1', runRoutes(service));
  app.route('/v1', stepRoutes(service));

  /** Whether another method has this path. */
  const isKnown = (path: string) =>
    METHODS.some((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL'));

  app.notFound((c) => {
    const { method, path } = c.req;
    const error = isKnown(path) ? methodNotAllowed(method, path) : unknownUrl(method, path);
    return errorResponse(error, method);
  });

  app.onError((error, c) => {
    if (error instanceof ApiError) return errorResponse(error, c.req.method);
    const fault = service.store.fault(error);
    if (fault) {
      service.log.error(`${c.req.method} ${c.req.path}: ${fault.message} (${error.message})`);
      return errorResponse(storeFailed(fault.code, fault.message), c.req.method);
    }
    service.log.error(`${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`);
    return errorResponse(serverError(), c.req.method);
  });

  return app;
}
