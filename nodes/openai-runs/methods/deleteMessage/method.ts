/** DELETE /threads/{thread_id}/messages/{message_id} */
import type { MessageDeleteParams } from 'openai/resources/beta/threads/messages';
import { pathId } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = MessageDeleteParams & { message_id: string };

export const deleteMessage = objectMethod<Params>({
  id: 'deleteMessage',
  reference: 'messages/deleteMessage',
  group: 'messages',
  answers: 'deleted',
  object: 'thread.message.deleted',
  delivers: false,
  repeatable: false,
  parameters: { thread_id: pathId, message_id: pathId } satisfies Parameters<Params>,
  send: (client, { message_id, ...params }, options) =>
    client.beta.threads.messages.delete(message_id, params, options),
});
