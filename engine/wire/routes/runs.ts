/** The paths of runs. */
import { Hono } from 'hono';
import { modifyWrongStatus, unknownPathId } from '../../domain/errors.ts';
import { runFor } from '../../objects/objects.ts';
import { cancelRun } from '../../runs/cancel.ts';
import { createRun, submitToolOutputs } from '../../runs/create.ts';
import { once } from '../../runs/once.ts';
import * as bodies from '../../schemas/bodies.ts';
import { parseInclude, parseListQuery, parseStartingAfter } from '../../schemas/queries.ts';
import type { Service } from '../../service.ts';
import { page } from '../../store/paging.ts';
import type { RunRecord } from '../../store/records.ts';
import { findRun, setMetadata } from '../../store/runs.ts';
import { threadOf } from '../../store/threads.ts';
import {
  keyOf,
  listObject,
  queryOf,
  type RouteContext,
  type RouteEnv,
  readBody,
  runResponse,
} from './http.ts';
import { rejoinedResponse, startedResponse } from './started.ts';

export function runRoutes(service: Service): Hono<RouteEnv> {
  const { db } = service.store;
  const routes = new Hono<RouteEnv>();

  const runOf = async (c: RouteContext): Promise<RunRecord> => {
    const { thread_id, run_id } = c.req.param() as { thread_id: string; run_id: string };
    await threadOf(db, thread_id);
    const run = await findRun(db, thread_id, run_id);
    if (!run) throw unknownPathId('run', run_id);
    return run;
  };

  routes.get('/threads/:thread_id/runs', async (c) => {
    const { run_id: _, ...query } = parseListQuery(queryOf(c));
    const { id: thread_id } = await threadOf(db, c.req.param('thread_id'));
    const found = await page(db, 'runs', { thread_id }, query);
    return c.json(listObject(found, (run) => runFor(c.env.caller, run)));
  });

  routes.post('/threads/:thread_id/runs', async (c) => {
    const include = parseInclude(queryOf(c));
    const body = readBody(c, bodies.createRun);
    const key = keyOf(c);
    const options = { ...include, key, caller: c.env.caller };
    const make = () => createRun(service, c.req.param('thread_id'), body, options);
    return startedResponse(service, c, await once(service, key, make), body.stream);
  });

  // `?stream=true` is this service's own: another reader of a run that is going on, from its attempt's start or from
  // behind the event of a number (see EventLog.first).
  routes.get('/threads/:thread_id/runs/:run_id', async (c) => {
    const query = queryOf(c);
    const run = await runOf(c);
    if (query.get('stream') !== 'true') return runResponse(c, run);
    return rejoinedResponse(service, c, run, parseStartingAfter(query));
  });

  routes.post('/threads/:thread_id/runs/:run_id', async (c) => {
    const { metadata } = readBody(c, bodies.modifyMetadata);
    const run = await runOf(c);
    if (run.status === 'in_progress') throw modifyWrongStatus(run.status);
    if (metadata === undefined) return runResponse(c, run);
    await setMetadata(db, run.id, metadata ?? {});
    return runResponse(c, await runOf(c));
  });

  routes.post('/threads/:thread_id/runs/:run_id/cancel', async (c) => {
    const { thread_id, run_id } = c.req.param();
    return runResponse(c, await cancelRun(service, thread_id, run_id));
  });

  routes.post('/threads/:thread_id/runs/:run_id/submit_tool_outputs', async (c) => {
    const { thread_id, run_id } = c.req.param();
    const body = readBody(c, bodies.submitToolOutputs);
    const { run, log } = await submitToolOutputs(service, thread_id, run_id, body);
    return startedResponse(service, c, { run, log }, body.stream);
  });

  return routes;
}
