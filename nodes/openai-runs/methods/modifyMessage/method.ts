/** POST /threads/{thread_id}/messages/{message_id} */
import type { MessageUpdateParams } from 'openai/resources/beta/threads/messages';
import { metadata, pathId } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = MessageUpdateParams & { message_id: string };

export const modifyMessage = objectMethod<Params>({
  id: 'modifyMessage',
  reference: 'messages/modifyMessage',
  group: 'messages',
  answers: 'object',
  object: 'thread.message',
  delivers: false,
  repeatable: true,
  parameters: { thread_id: pathId, message_id: pathId, metadata } satisfies Parameters<Params>,
  send: (client, { message_id, ...params }, options) =>
    client.beta.threads.messages.update(message_id, params, options),
});
