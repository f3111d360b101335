/** The paths of steps. */
import { Hono } from 'hono';
import { unknownPathId } from '../../domain/errors.ts';
import { isActive } from '../../domain/run-states.ts';
import { stepObject } from '../../objects/objects.ts';
import { parseInclude, parseListQuery } from '../../schemas/queries.ts';
import type { Service } from '../../service.ts';
import { page } from '../../store/paging.ts';
import { findRun } from '../../store/runs.ts';
import { findStep } from '../../store/steps.ts';
import { threadOf } from '../../store/threads.ts';
import { listObject, queryOf, type RouteContext, type RouteEnv } from './http.ts';

const BASE = '/threads/:thread_id/runs/:run_id/steps';

export function stepRoutes({ store: { db } }: Service): Hono<RouteEnv> {
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
    const found = await page(db, 'steps', { run_id }, query);
    return c.json(listObject(found, (step) => stepObject(step, view)));
  });

  routes.get(`${BASE}/:step_id`, async (c) => {
    const { thread_id, run_id, step_id } = c.req.param();
    const view = await viewOf(c, thread_id, run_id);
    const step = await findStep(db, run_id, step_id);
    if (!step) throw unknownPathId('run step', step_id);
    return c.json(stepObject(step, view));
  });

  return routes;
}
