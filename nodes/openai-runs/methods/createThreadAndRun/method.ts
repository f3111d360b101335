/** POST /threads/runs */

import type { ThreadCreateAndRunParamsNonStreaming } from 'openai/resources/beta/threads/threads';
import { isObject } from '../../../../engine/domain/is-object.ts';
import { runOptions } from '../common.ts';
import { type Parameters, runMethod } from '../method.ts';

type Params = ThreadCreateAndRunParamsNonStreaming;

export const createThreadAndRun = runMethod<Params>({
  id: 'createThreadAndRun',
  reference: 'runs/createThreadAndRun',
  group: 'runs',
  answers: 'run',
  delivers: true,
  repeatable: false,
  parameters: {
    assistant_id: { in: 'body', type: 'id', required: true },
    thread: { in: 'body', type: 'object' },
    ...runOptions,
    tool_resources: { in: 'body', type: 'object', nullable: true },
  } satisfies Parameters<Params>,
  addMessages: (params, messages) => {
    // A thread that is no object is left for the check to refuse.
    const { thread = {} } = params;
    if (isObject(thread)) params.thread = { messages, ...thread };
  },
  isSilent: ({ thread = {} }) => isObject(thread) && !(thread.messages as unknown[] | undefined)?.length,
  send: (client, params, options) => client.beta.threads.createAndRun({ ...params, stream: false }, options),
  stream: (client, params, options) => client.beta.threads.createAndRun({ ...params, stream: true }, options),
});
