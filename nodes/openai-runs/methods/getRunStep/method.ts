import type { StepRetrieveParams } from 'openai/resources/beta/threads/runs/steps';
import { include, pathId } from '../common.ts';
import type { Parameters, StepMethod } from '../method.ts';

/** GET /threads/{thread_id}/runs/{run_id}/steps/{step_id} */
export const getRunStep: StepMethod = {
  id: 'getRunStep',
  group: 'steps',
  answers: 'step',
  delivers: false,
  repeatable: true,
  parameters: {
    thread_id: pathId,
    run_id: pathId,
    step_id: pathId,
    include,
  } satisfies Parameters<StepRetrieveParams & { step_id: string }>,
  send: (client, { step_id, ...params }, options) =>
    client.beta.threads.runs.steps.retrieve(step_id, params as never, options),
};
