/** POST /threads/{thread_id}/runs */
import type { RunCreateParamsNonStreaming } from 'openai/resources/beta/threads/runs/runs';
import { REASONING_EFFORTS } from '../../../../engine/domain/limits.ts';
import { include, pathId, runOptions } from '../common.ts';
import { type Parameters, runMethod } from '../method.ts';

type Params = RunCreateParamsNonStreaming & { thread_id: string };

export const createRun = runMethod<Params>({
  id: 'createRun',
  reference: 'runs/createRun',
  group: 'runs',
  answers: 'run',
  delivers: true,
  onThread: true,
  repeatable: false,
  parameters: {
    thread_id: pathId,
    assistant_id: { in: 'body', type: 'id', required: true },
    additional_messages: { in: 'body', type: 'array', items: 'object', nullable: true },
    additional_instructions: { in: 'body', type: 'string', nullable: true },
    ...runOptions,
    reasoning_effort: {
      in: 'body',
      type: 'string',
      nullable: true,
      enum: REASONING_EFFORTS,
    },
    include,
  } satisfies Parameters<Params>,
  addMessages: (params, messages) => {
    params.additional_messages ??= messages;
  },
  isSilent: ({ additional_messages }) => !additional_messages?.length,
  send: (client, { thread_id, ...params }, options) =>
    client.beta.threads.runs.create(thread_id, { ...params, stream: false }, options),
  stream: (client, { thread_id, ...params }, options) =>
    client.beta.threads.runs.create(thread_id, { ...params, stream: true }, options),
});
