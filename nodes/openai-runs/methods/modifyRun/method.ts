/** POST /threads/{thread_id}/runs/{run_id} */
import type { RunUpdateParams } from 'openai/resources/beta/threads/runs/runs';
import { pathId } from '../common.ts';
import { type Parameters, runMethod } from '../method.ts';

type Params = RunUpdateParams & { run_id: string };

export const modifyRun = runMethod<Params>({
  id: 'modifyRun',
  reference: 'runs/modifyRun',
  group: 'runs',
  answers: 'run',
  delivers: false,
  // Setting the same metadata twice changes nothing.
  repeatable: true,
  parameters: {
    thread_id: pathId,
    run_id: pathId,
    metadata: { in: 'body', type: 'object', nullable: true },
  } satisfies Parameters<Params>,
  send: (client, { run_id, ...params }, options) => client.beta.threads.runs.update(run_id, params, options),
});
