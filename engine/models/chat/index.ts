/** Any server that speaks Chat Completions: Ollama, llama.cpp, vLLM, LM Studio, OpenAI and many more. */
import { ProviderConnection, type Reply } from '../http/connection.ts';
import { contextWindowOf } from '../http/context-window.ts';
import { ModelList } from '../http/models.ts';
import { sightOf } from '../http/sight.ts';
import { type Model, ModelError, type ModelEvent, type ModelOptions, type Turn } from '../model.ts';
import { readChat } from './reader.ts';
import { chatRequest, type Dialect } from './request.ts';

/** A model behind `{url}/chat/completions`. A URL that is none is told when the model is first used. */
export function chatModel(options: ModelOptions): Model {
  let made: Chat | undefined;
  const chat = () => {
    made ??= new Chat(options);
    return made;
  };
  const models = new ModelList();
  return {
    run: async function* (turn) {
      yield* chat().run(turn);
    },
    list: async (signal) => models.names(chat().connection, signal),
    takesAnyName: () => models.takesAnyName,
    contextWindow: async (model, signal) =>
      contextWindowOf(chat().connection, model || (options.model ?? ''), signal),
    seesPictures: async (model, signal) => sightOf(chat().connection, model || (options.model ?? ''), signal),
  };
}

class Chat {
  readonly connection: ProviderConnection;
  readonly #options: ModelOptions;
  #dialect: Dialect;

  constructor(options: ModelOptions) {
    this.connection = new ProviderConnection(options);
    this.#options = options;
    const byOpenAI = /(^|\.)(openai\.com|azure\.com)$/.test(this.connection.base.hostname);
    this.#dialect = {
      streamOptions: true,
      parallelToolCalls: true,
      tokenLimit: byOpenAI ? 'max_completion_tokens' : 'max_tokens',
    };
  }

  async *run(turn: Turn): AsyncGenerator<ModelEvent> {
    const asked = { ...turn, model: turn.model || (this.#options.model ?? '') };
    const reply = await this.#ask(asked);
    yield* this.connection.guard(readChat(reply, asked), reply);
  }

  /** Asks again without a field that the server refuses by name; remembers what was accepted. */
  async #ask(turn: Turn): Promise<Reply> {
    const stream = !(this.#options.noStreamWithTools && turn.tools.length > 0);
    let dialect = this.#dialect;
    for (const tried = new Set<keyof Dialect>(); ; ) {
      const body = chatRequest(turn, dialect, stream);
      try {
        const reply = await this.connection.ask('chat/completions', turn.signal, body);
        this.#dialect = dialect;
        return reply;
      } catch (error) {
        const field = refusedField(error, dialect);
        if (!field || tried.has(field) || !(FIELDS[field](dialect) in body)) throw error;
        tried.add(field);
        dialect = without(field, dialect);
      }
    }
  }
}

/** What each part of the dialect is called in a request. */
const FIELDS: Record<keyof Dialect, (dialect: Dialect) => string> = {
  streamOptions: () => 'stream_options',
  parallelToolCalls: () => 'parallel_tool_calls',
  tokenLimit: ({ tokenLimit }) => tokenLimit,
};

function refusedField(error: unknown, dialect: Dialect): keyof Dialect | undefined {
  if (!(error instanceof ModelError) || (error.status !== 400 && error.status !== 422)) return undefined;
  const fields = Object.keys(FIELDS) as (keyof Dialect)[];
  return fields.find((field) => error.message.includes(FIELDS[field](dialect)));
}

function without(field: keyof Dialect, dialect: Dialect): Dialect {
  if (field !== 'tokenLimit') return { ...dialect, [field]: false };
  const other = dialect.tokenLimit === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  return { ...dialect, tokenLimit: other };
}
