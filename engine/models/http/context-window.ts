/** How much a model reads at once, as far as its server tells: each kind of server has its own place for that. */
import type { ProviderConnection } from './connection.ts';
import { askServer, type Fields, fieldsOf, isLocal, rowOf } from './model-facts.ts';

/** Tokens that are taken for sure where a server on this machine or in this network tells nothing. */
const CAREFUL = 4_096;
/** Tokens that hosted models read, where their provider tells nothing. */
const USUAL = 128_000;

/** Names that providers give the number in their lists of models: vLLM, OpenRouter, Groq, Mistral. */
const IN_LISTS = ['max_model_len', 'context_length', 'context_window', 'max_context_length'];

/** @returns tokens; a careful or usual number where nobody tells */
export async function contextWindowOf(
  connection: ProviderConnection,
  model: string,
  signal: AbortSignal,
): Promise<number> {
  const local = isLocal(connection.base.hostname);
  const ask = askServer(connection, signal);
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
