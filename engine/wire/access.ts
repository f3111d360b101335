/** What a caller may see: everything below a path is refused before the path's own handler looks at it. */
import type { Hono } from 'hono';
import type { Caller } from '../domain/caller.ts';
import { notPermitted, unknownPathId } from '../domain/errors.ts';
import type { Service } from '../service.ts';
import { findRun } from '../store/runs.ts';
import { threadOf } from '../store/threads.ts';
import type { RouteEnv } from './routes/http.ts';

/** Whether a caller may see and run an assistant. */
export const maySee = (caller: Caller | undefined, assistantId: string): boolean =>
  caller?.assistants?.includes(assistantId) ?? true;

/** Adds the checks; to be called before the routes are added. What a caller may not see is not there for it: 404. */
export function addGuards(app: Hono<RouteEnv>, { store: { db } }: Service): void {
  app.use('/v1/threads/:thread_id/*', async (c, next) => {
    const { caller } = c.env;
    const id = c.req.param('thread_id');
    // A POST to /threads/runs is about a thread to come.
    if (caller?.ownThreads && id !== 'runs' && (await threadOf(db, id)).owner !== caller.id) {
      throw unknownPathId('thread', id);
    }
    await next();
  });

  app.use('/v1/threads/:thread_id/runs/:run_id/*', async (c, next) => {
    const { caller } = c.env;
    const { thread_id, run_id } = c.req.param();
    const run = caller?.assistants && (await findRun(db, thread_id, run_id));
    if (run && !maySee(caller, run.assistant_id)) throw unknownPathId('run', run_id);
    await next();
  });

  app.use('/v1/assistants/*', async (c, next) => {
    if (c.env.caller?.assistants && c.req.method !== 'GET') throw notPermitted('change assistants');
    await next();
  });

  app.use('/v1/assistants/:assistant_id', async (c, next) => {
    const id = c.req.param('assistant_id');
    if (!maySee(c.env.caller, id)) throw unknownPathId('assistant', id);
    await next();
  });
}
