/** GET /threads/{thread_id}/runs/{run_id}/steps/{step_id} */
import type { StepRetrieveParams } from 'openai/resources/beta/threads/runs/steps';
import { include, pathId } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = StepRetrieveParams & { step_id: string };

export const getRunStep = objectMethod<Params>({
  id: 'getRunStep',
  reference: 'run-steps/getRunStep',
  group: 'steps',
  answers: 'object',
  object: 'thread.run.step',
  delivers: false,
  repeatable: true,
  parameters: {
    thread_id: pathId,
    run_id: pathId,
    step_id: pathId,
    include,
  } satisfies Parameters<Params>,
  send: (client, { step_id, ...params }, options) =>
    client.beta.threads.runs.steps.retrieve(step_id, params, options),
});
