/** POST /threads/{thread_id}/messages */
import type { MessageCreateParams } from 'openai/resources/beta/threads/messages';
import { metadata, pathId } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = MessageCreateParams & { thread_id: string };

export const createMessage = objectMethod<Params>({
  id: 'createMessage',
  reference: 'messages/createMessage',
  group: 'messages',
  answers: 'object',
  object: 'thread.message',
  delivers: false,
  repeatable: false,
  parameters: {
    thread_id: pathId,
    role: { in: 'body', type: 'string', required: true, enum: ['user', 'assistant'] },
    content: { in: 'body', type: ['string', 'array'], items: 'object', required: true },
    attachments: { in: 'body', type: 'array', items: 'object', nullable: true },
    metadata,
  } satisfies Parameters<Params>,
  addMessages: (params, [message]) => {
    params.content ??= message?.content;
    params.role ??= message?.role ?? 'user';
  },
  isSilent: ({ content }) => !content?.length,
  send: (client, { thread_id, ...body }, options) =>
    client.beta.threads.messages.create(thread_id, body, options),
});
