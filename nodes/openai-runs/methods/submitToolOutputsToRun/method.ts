/** POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs */
import type { RunSubmitToolOutputsParamsNonStreaming } from 'openai/resources/beta/threads/runs/runs';
import { pathId } from '../common.ts';
import { type Parameters, runMethod } from '../method.ts';

type Params = RunSubmitToolOutputsParamsNonStreaming & { run_id: string };

export const submitToolOutputsToRun = runMethod<Params>({
  id: 'submitToolOutputsToRun',
  reference: 'runs/submitToolOutputs',
  group: 'runs',
  answers: 'run',
  delivers: true,
  repeatable: false,
  parameters: {
    thread_id: pathId,
    run_id: pathId,
    tool_outputs: { in: 'body', type: 'array', items: 'object', required: true },
  } satisfies Parameters<Params>,
  send: (client, { run_id, ...params }, options) =>
    client.beta.threads.runs.submitToolOutputs(run_id, { ...params, stream: false }, options),
  stream: (client, { run_id, ...params }, options) =>
    client.beta.threads.runs.submitToolOutputs(run_id, { ...params, stream: true }, options),
});
