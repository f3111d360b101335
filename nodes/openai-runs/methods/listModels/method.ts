/** GET /models */
import { listMethod } from '../method.ts';

export const listModels = listMethod<Record<never, never>>({
  id: 'listModels',
  reference: 'models/list',
  group: 'assistants',
  answers: 'list',
  delivers: false,
  repeatable: true,
  parameters: {},
  send: (client, _params, options) => client.models.list(options),
});
