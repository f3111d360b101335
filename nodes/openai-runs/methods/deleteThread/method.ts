/** DELETE /threads/{thread_id} */
import { pathId } from '../common.ts';
import { objectMethod } from '../method.ts';

export const deleteThread = objectMethod<{ thread_id: string }>({
  id: 'deleteThread',
  reference: 'threads/deleteThread',
  group: 'threads',
  answers: 'deleted',
  object: 'thread.deleted',
  delivers: false,
  repeatable: false,
  parameters: { thread_id: pathId },
  send: (client, { thread_id }, options) => client.beta.threads.delete(thread_id, options),
});
