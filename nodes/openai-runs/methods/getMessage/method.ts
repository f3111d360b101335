/** GET /threads/{thread_id}/messages/{message_id} */
import type { MessageRetrieveParams } from 'openai/resources/beta/threads/messages';
import { pathId } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = MessageRetrieveParams & { message_id: string };

export const getMessage = objectMethod<Params>({
  id: 'getMessage',
  reference: 'messages/getMessage',
  group: 'messages',
  answers: 'object',
  object: 'thread.message',
  delivers: false,
  repeatable: true,
  parameters: { thread_id: pathId, message_id: pathId } satisfies Parameters<Params>,
  send: (client, { message_id, ...params }, options) =>
    client.beta.threads.messages.retrieve(message_id, params, options),
});
