/** Chooses the source of tokens. Making a model opens no connection and reads no file. */
import { chatModel } from './chat/index.ts';
import type { Model, ModelOptions } from './model.ts';
import { rehearsalModel } from './rehearsal/index.ts';
import { responsesModel } from './responses/index.ts';

const PROVIDERS: Record<ModelOptions['provider'], (options: ModelOptions) => Model> = {
  rehearsal: rehearsalModel,
  chat: chatModel,
  responses: responsesModel,
};

/**
 * The model that the service's settings name.
 * @throws TypeError for a provider that does not exist.
 */
export function createModel(options: ModelOptions): Model {
  const make = PROVIDERS[options.provider];
  // settings come from people's flows
  if (!make) throw new TypeError(`There is no model provider '${options.provider}'.`);
  return make(options);
}
