/** GET /assistants/{assistant_id} */
import { pathId } from '../common.ts';
import { objectMethod } from '../method.ts';

export const getAssistant = objectMethod<{ assistant_id: string }>({
  id: 'getAssistant',
  reference: 'assistants/getAssistant',
  group: 'assistants',
  answers: 'object',
  object: 'assistant',
  delivers: false,
  repeatable: true,
  parameters: { assistant_id: pathId },
  send: (client, { assistant_id }, options) => client.beta.assistants.retrieve(assistant_id, options),
});
