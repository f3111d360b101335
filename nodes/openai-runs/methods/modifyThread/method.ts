/** POST /threads/{thread_id} */
import type { ThreadUpdateParams } from 'openai/resources/beta/threads/threads';
import { notes, pathId } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = ThreadUpdateParams & { thread_id: string };

export const modifyThread = objectMethod<Params>({
  id: 'modifyThread',
  reference: 'threads/modifyThread',
  group: 'threads',
  answers: 'object',
  object: 'thread',
  delivers: false,
  repeatable: true,
  parameters: { thread_id: pathId, ...notes } satisfies Parameters<Params>,
  send: (client, { thread_id, ...body }, options) => client.beta.threads.update(thread_id, body, options),
});
