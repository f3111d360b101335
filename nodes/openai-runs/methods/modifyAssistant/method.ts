/** POST /assistants/{assistant_id} */
import type { AssistantUpdateParams } from 'openai/resources/beta/assistants';
import { assistantFields, pathId } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = AssistantUpdateParams & { assistant_id: string };

export const modifyAssistant = objectMethod<Params>({
  id: 'modifyAssistant',
  reference: 'assistants/modifyAssistant',
  group: 'assistants',
  answers: 'object',
  object: 'assistant',
  delivers: false,
  repeatable: true,
  parameters: { assistant_id: pathId, ...assistantFields } satisfies Parameters<Params>,
  send: (client, { assistant_id, ...body }, options) =>
    client.beta.assistants.update(assistant_id, body, options),
});
