import type { RunRetrieveParams } from 'openai/resources/beta/threads/runs/runs';
import { pathId } from '../common.ts';
import type { Parameters, RunMethod } from '../method.ts';

/** GET /threads/{thread_id}/runs/{run_id} */
export const getRun: RunMethod = {
  id: 'getRun',
  group: 'runs',
  answers: 'run',
  delivers: true,
  repeatable: true,
  parameters: { thread_id: pathId, run_id: pathId } satisfies Parameters<
    RunRetrieveParams & { run_id: string }
  >,
  send: (client, { thread_id, run_id }, options) =>
    client.beta.threads.runs.retrieve(run_id, { thread_id }, options),
};
