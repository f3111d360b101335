/** POST /assistants */
import type { AssistantCreateParams } from 'openai/resources/beta/assistants';
import { assistantFields } from '../common.ts';
import { objectMethod, type Parameters } from '../method.ts';

type Params = AssistantCreateParams;

export const createAssistant = objectMethod<Params>({
  id: 'createAssistant',
  reference: 'assistants/createAssistant',
  group: 'assistants',
  answers: 'object',
  object: 'assistant',
  delivers: false,
  repeatable: false,
  parameters: {
    ...assistantFields,
    model: { in: 'body', type: 'string', required: true },
  } satisfies Parameters<Params>,
  send: (client, params, options) => client.beta.assistants.create(params, options),
});
