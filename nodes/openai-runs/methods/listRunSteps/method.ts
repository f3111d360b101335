/** GET /threads/{thread_id}/runs/{run_id}/steps */
import type { StepListParams } from 'openai/resources/beta/threads/runs/steps';
import { include, paging, pathId } from '../common.ts';
import { listMethod, type Parameters } from '../method.ts';

type Params = StepListParams & { run_id: string };

export const listRunSteps = listMethod<Params>({
  id: 'listRunSteps',
  reference: 'run-steps/listRunSteps',
  group: 'steps',
  answers: 'list',
  delivers: false,
  repeatable: true,
  parameters: {
    thread_id: pathId,
    run_id: pathId,
    ...paging,
    include,
  } satisfies Parameters<Params>,
  send: (client, { run_id, ...params }, options) =>
    client.beta.threads.runs.steps.list(run_id, params, options),
});
