import type { ThreadCreateAndRunParams } from 'openai/resources/beta/threads/threads';
import { runOptions } from '../common.ts';
import type { Parameters, RunMethod } from '../method.ts';

/** POST /threads/runs */
export const createThreadAndRun: RunMethod = {
  id: 'createThreadAndRun',
  group: 'runs',
  answers: 'run',
  delivers: true,
  repeatable: false,
  parameters: {
    assistant_id: { in: 'body', type: 'id', required: true },
    thread: { in: 'body', type: 'object' },
    ...runOptions,
    tool_resources: { in: 'body', type: 'object', nullable: true },
  } satisfies Parameters<ThreadCreateAndRunParams>,
  addText: (params, text) => {
    params.thread = { messages: [{ role: 'user', content: text }], ...params.thread };
  },
  send: (client, params, options) =>
    client.beta.threads.createAndRun({ ...params, stream: false } as never, options),
  stream: (client, params, options) =>
    client.beta.threads.createAndRun({ ...params, stream: true } as never, options) as never,
};
