import { Hono } from 'hono';
import { unknownPathId } from '../../domain/errors.ts';
import { isActive } from '../../domain/run-states.ts';
import { stepObject } from '../../objects/objects.ts';
import type { Service } from '../../service.ts';
import { listObject, page } from '../../store/paging.ts';
import { findRun } from '../../store/runs.ts';
import type { StepRow } from '../../store/schema.ts';
import { threadOf } from '../../store/threads.ts';
import { parseInclude, parseListQuery } from '../schemas/queries.ts';
import { queryOf, type RouteContext, type RouteEnv } from './http.ts';

const BASE = '/threads/:thread_id/runs/:run_id/steps';

export function stepRoutes({ db }: Service): Hono<RouteEnv> {
  const routes = new Hono<RouteEnv>();

  /** How the steps of a run are shown. */
  const viewOf = async (c: RouteContext, threadId: string, runId: string) => {
    const include = parseInclude(queryOf(c));
    await threadOf(db, threadId);
    const run = await findRun(db, threadId, runId);
    if (!run) throw unknownPathId('run', runId);
    return { ...include, runEnded: !isActive(run.status) };
  };

  routes.get(BASE, async (c) => {
    const { thread_id, run_id } = c.req.param();
    const { run_id: _, ...query } = parseListQuery(queryOf(c));
    const view = await viewOf(c, thread_id, run_id);
    const { rows, hasMore } = await page<'steps', StepRow>(db, 'steps', { run_id }, query);
    const steps = rows.map((row) => stepObject(row, view));
    return c.json(listObject(steps, hasMore));
  });

  routes.get(`${BASE}/:step_id`, async (c) => {
    const { thread_id, run_id, step_id } = c.req.param();
    const view = await viewOf(c, thread_id, run_id);
    const row = await db
      .selectFrom('steps')
      .selectAll()
      .where('id', '=', step_id)
      .where('run_id', '=', run_id)
      .executeTakeFirst();
    if (!row) throw unknownPathId('run step', step_id);
    return c.json(stepObject(row, view));
  });

  return routes;
}
