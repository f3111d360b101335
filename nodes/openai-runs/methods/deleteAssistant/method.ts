/** DELETE /assistants/{assistant_id} */
import { pathId } from '../common.ts';
import { objectMethod } from '../method.ts';

export const deleteAssistant = objectMethod<{ assistant_id: string }>({
  id: 'deleteAssistant',
  reference: 'assistants/deleteAssistant',
  group: 'assistants',
  answers: 'deleted',
  object: 'assistant.deleted',
  delivers: false,
  repeatable: false,
  parameters: { assistant_id: pathId },
  send: (client, { assistant_id }, options) => client.beta.assistants.delete(assistant_id, options),
});
