/** POST /threads */
import type { ThreadCreateParams } from 'openai/resources/beta/threads/threads';
import { notes } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = ThreadCreateParams;

export const createThread = objectMethod<Params>({
  id: 'createThread',
  reference: 'threads/createThread',
  group: 'threads',
  answers: 'object',
  object: 'thread',
  delivers: false,
  repeatable: false,
  parameters: {
    messages: { in: 'body', type: 'array', items: 'object' },
    ...notes,
  } satisfies Parameters<Params>,
  send: (client, params, options) => client.beta.threads.create(params, options),
});
