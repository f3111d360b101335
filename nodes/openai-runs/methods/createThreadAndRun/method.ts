import type { ThreadCreateAndRunParams } from 'openai/resources/beta/threads/threads';
import { isObject } from '../../settings.ts';
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
    // A thread that is no object is left for the check to refuse.
    const { thread = {} } = params;
    if (isObject(thread)) params.thread = { messages: [{ role: 'user', content: text }], ...thread };
  },
  send: (client, params, options) =>
    client.beta.threads.createAndRun({ ...params, stream: false } as never, options),
  stream: (client, params, options) =>
    client.beta.threads.createAndRun({ ...params, stream: true } as never, options) as never,
};
