/** Chooses the source of tokens. Making a model opens no connection and reads no file. */
import type { Model, ModelOptions } from './model.ts';
import { rehearsalModel } from './rehearsal/index.ts';

const PROVIDERS: Partial<Record<ModelOptions['provider'], (options: ModelOptions) => Model>> = {
  rehearsal: rehearsalModel,
};

/**
 * The model that the service's settings name.
 * @throws TypeError for a provider that does not exist.
 */
export function createModel(options: ModelOptions): Model {
  const make = PROVIDERS[options.provider];
  if (!make) throw new TypeError(`There is no model provider '${options.provider}'.`);
  return make(options);
}
