import type { RunSubmitToolOutputsParams } from 'openai/resources/beta/threads/runs/runs';
import { pathId } from '../common.ts';
import type { Parameters, RunMethod } from '../method.ts';

/** POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs */
export const submitToolOutputsToRun: RunMethod = {
  id: 'submitToolOutputsToRun',
  group: 'runs',
  answers: 'run',
  delivers: true,
  repeatable: false,
  parameters: {
    thread_id: pathId,
    run_id: pathId,
    tool_outputs: { in: 'body', type: 'array', items: 'object', required: true },
  } satisfies Parameters<RunSubmitToolOutputsParams & { run_id: string }>,
  send: (client, { run_id, ...params }, options) =>
    client.beta.threads.runs.submitToolOutputs(run_id, { ...params, stream: false } as never, options),
  stream: (client, { run_id, ...params }, options) =>
    client.beta.threads.runs.submitToolOutputs(
      run_id,
      { ...params, stream: true } as never,
      options,
    ) as never,
};
