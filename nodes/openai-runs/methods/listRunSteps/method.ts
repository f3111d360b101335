import type { StepListParams } from 'openai/resources/beta/threads/runs/steps';
import { include, paging, pathId } from '../common.ts';
import type { ListMethod, Parameters } from '../method.ts';

/** GET /threads/{thread_id}/runs/{run_id}/steps */
export const listRunSteps: ListMethod = {
  id: 'listRunSteps',
  group: 'steps',
  answers: 'list',
  delivers: false,
  repeatable: true,
  parameters: {
    thread_id: pathId,
    run_id: pathId,
    ...paging,
    include,
  } satisfies Parameters<StepListParams & { run_id: string }>,
  send: (client, { run_id, ...params }, options) =>
    client.beta.threads.runs.steps.list(run_id, params as never, options),
};
