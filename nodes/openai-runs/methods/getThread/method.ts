/** GET /threads/{thread_id} */
import { pathId } from '../common.ts';
import { objectMethod } from '../method.ts';

export const getThread = objectMethod<{ thread_id: string }>({
  id: 'getThread',
  reference: 'threads/getThread',
  group: 'threads',
  answers: 'object',
  object: 'thread',
  delivers: false,
  repeatable: true,
  parameters: { thread_id: pathId },
  send: (client, { thread_id }, options) => client.beta.threads.retrieve(thread_id, options),
});
