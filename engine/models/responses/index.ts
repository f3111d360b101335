/** OpenAI's Responses API and servers that speak it, used without its memory: `store` is false. */
import { ProviderConnection, type Reply } from '../http/connection.ts';
import { ModelList } from '../http/models.ts';
import { sightOf } from '../http/sight.ts';
import { type Model, ModelError, type ModelEvent, type ModelOptions, type Turn } from '../model.ts';
import { readResponses } from './reader.ts';
import { responsesRequest } from './request.ts';

/** A model behind `{url}/responses`. A URL that is none is told when the model is first used. */
export function responsesModel(options: ModelOptions): Model {
  let made: Responses | undefined;
  const responses = () => {
    made ??= new Responses(options);
    return made;
  };
  const models = new ModelList();
  return {
    keepsFiles: true,
    run: async function* (turn) {
      yield* responses().run(turn);
    },
    list: async (signal) => models.names(responses().connection, signal),
    takesAnyName: () => models.takesAnyName,
    seesPictures: async (model, signal) =>
      sightOf(responses().connection, model || (options.model ?? ''), signal),
  };
}

class Responses {
  readonly connection: ProviderConnection;
  readonly #options: ModelOptions;
  /** Models that have refused to encrypt their reasoning, as they have none. */
  readonly #plain = new Set<string>();

  constructor(options: ModelOptions) {
    this.connection = new ProviderConnection(options);
    this.#options = options;
  }

  async *run(turn: Turn): AsyncGenerator<ModelEvent> {
    const asked = { ...turn, model: turn.model || (this.#options.model ?? '') };
    const reply = await this.#ask(asked);
    yield* this.connection.guard(readResponses(reply, asked), reply);
  }

  async #ask(turn: Turn): Promise<Reply> {
    const stream = !(this.#options.noStreamWithTools && turn.tools.length > 0);
    const ask = () => {
      const encryptedReasoning = !this.#plain.has(turn.model);
      return this.connection.ask(
        'responses',
        turn.signal,
        responsesRequest(turn, { encryptedReasoning }, stream),
      );
    };
    try {
      return await ask();
    } catch (error) {
      if (!refusesEncryption(error) || this.#plain.has(turn.model)) throw error;
      this.#plain.add(turn.model);
      return await ask();
    }
  }
}

function refusesEncryption(error: unknown): boolean {
  return (
    error instanceof ModelError &&
    (error.status === 400 || error.status === 422) &&
    /encrypted[ _.]content/i.test(error.message)
  );
}
