/** GET /assistants */
import type { AssistantListParams } from 'openai/resources/beta/assistants';
import { paging } from '../common.ts';
import { listMethod, type Parameters } from '../method.ts';

type Params = AssistantListParams;

export const listAssistants = listMethod<Params>({
  id: 'listAssistants',
  reference: 'assistants/listAssistants',
  group: 'assistants',
  answers: 'list',
  delivers: false,
  repeatable: true,
  parameters: paging satisfies Parameters<Params>,
  send: (client, query, options) => client.beta.assistants.list(query, options),
});
