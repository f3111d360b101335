/** How much a model reads at once, as far as its server tells: each kind of server has its own place for that. */
import type { ProviderConnection } from './connection.ts';
import { whole } from './frames.ts';

/** Tokens that are taken for sure where a server on this machine or in this network tells nothing. */
const CAREFUL = 4_096;
/** Tokens that hosted models read, where their provider tells nothing. */
const USUAL = 128_000;
/** Milliseconds that a run waits for all of this. */
const PATIENCE_MS = 3_000;
/** Characters of an answer: a list of many models. */
const MOST_CHARACTERS = 8 * 2 ** 20;

type Fields = Record<string, unknown>;

/** Names that providers give the number in their lists of models: vLLM, OpenRouter, Groq, Mistral. */
const IN_LISTS = ['max_model_len', 'context_length', 'context_window', 'max_context_length'];

/** @returns tokens; a careful or usual number where nobody tells */
export async function contextWindowOf(
  connection: ProviderConnection,
  model: string,
  signal: AbortSignal,
): Promise<number> {
  const { hostname } = connection.base;
  const local = isLocal(hostname);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const ask = async (path: string, body?: object): Promise<unknown> => {
    try {
      return await whole(await connection.ask(path, limit, body), MOST_CHARACTERS);
    } catch {
      // No such place: another kind of server.
      signal.throwIfAborted();
      return undefined;
    }
  };
  const listed = tokensIn(rowOf(await ask('models'), model), IN_LISTS);
  if (listed || !local) return listed ?? USUAL;
  return (
    // llama.cpp: the window that it was started with.
    tokensIn((fieldsOf(await ask('../props')).default_generation_settings ?? {}) as Fields, ['n_ctx']) ??
    // Ollama: of the model as it is loaded, or as its file sets it.
    tokensIn(rowOf(await ask('../api/ps'), model), ['context_length']) ??
    numCtx(await ask('../api/show', { model })) ??
    // LM Studio: as it is loaded, or at most.
    tokensIn(rowOf(await ask('../api/v0/models'), model), ['loaded_context_length', 'max_context_length']) ??
    CAREFUL
  );
}

/** Whether a host is this machine or in a network of one's own. */
function isLocal(hostname: string): boolean {
  return (
    /^(localhost|host\.docker\.internal|\[::1\]|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(
      hostname,
    ) ||
    hostname.endsWith('.local') ||
    !hostname.includes('.')
  );
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** The entry of a model in a list, whatever the list and the name are called. */
function rowOf(answer: unknown, model: string): Fields {
  const { data, models } = fieldsOf(answer);
  const rows = Array.isArray(answer) ? answer : (data ?? models);
  if (!Array.isArray(rows)) return {};
  const names = [model, `${model}:latest`];
  return fieldsOf(rows.find((row) => names.includes(String(row?.id ?? row?.name ?? row?.model))));
}

function tokensIn(fields: Fields, names: string[]): number | undefined {
  for (const name of names) {
    const value = Number(fields[name]);
    if (Number.isSafeInteger(value) && value > 0) return value;
  }
  return undefined;
}

/** Ollama's own setting, a line of text such as `num_ctx 16384`. */
function numCtx(answer: unknown): number | undefined {
  const [, value] = /^num_ctx\s+(\d+)/m.exec(String(fieldsOf(answer).parameters ?? '')) ?? [];
  return value ? Number(value) : undefined;
}
