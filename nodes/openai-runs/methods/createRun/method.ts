import type { RunCreateParams } from 'openai/resources/beta/threads/runs/runs';
import { include, pathId, runOptions } from '../common.ts';
import type { Parameters, RunMethod } from '../method.ts';

/** POST /threads/{thread_id}/runs */
export const createRun: RunMethod = {
  id: 'createRun',
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
      enum: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
    },
    include,
  } satisfies Parameters<RunCreateParams & { thread_id: string }>,
  addText: (params, text) => {
    params.additional_messages ??= [{ role: 'user', content: text }];
  },
  send: (client, { thread_id, ...params }, options) =>
    client.beta.threads.runs.create(thread_id, { ...params, stream: false } as never, options),
  stream: (client, { thread_id, ...params }, options) =>
    client.beta.threads.runs.create(thread_id, { ...params, stream: true } as never, options) as never,
};
