/** POST /threads/{thread_id}/runs/{run_id}/cancel */
import type { RunCancelParams } from 'openai/resources/beta/threads/runs/runs';
import { pathId } from '../common.ts';
import { type Parameters, runMethod } from '../method.ts';

type Params = RunCancelParams & { run_id: string };

export const cancelRun = runMethod<Params>({
  id: 'cancelRun',
  reference: 'runs/cancelRun',
  group: 'runs',
  answers: 'run',
  delivers: false,
  // A repeated cancel of a run that is already cancelling would be answered with an error.
  repeatable: false,
  parameters: { thread_id: pathId, run_id: pathId } satisfies Parameters<Params>,
  send: (client, { thread_id, run_id }, options) =>
    client.beta.threads.runs.cancel(run_id, { thread_id }, options),
});
