/** GET /threads/{thread_id}/messages */
import type { MessageListParams } from 'openai/resources/beta/threads/messages';
import { paging, pathId } from '../common.ts';
import { listMethod, type Parameters } from '../method.ts';

type Params = MessageListParams & { thread_id: string };

export const listMessages = listMethod<Params>({
  id: 'listMessages',
  reference: 'messages/listMessages',
  group: 'messages',
  answers: 'list',
  delivers: false,
  repeatable: true,
  parameters: {
    thread_id: pathId,
    run_id: { in: 'query', type: 'string' },
    ...paging,
  } satisfies Parameters<Params>,
  send: (client, { thread_id, ...query }, options) =>
    client.beta.threads.messages.list(thread_id, query, options),
});
