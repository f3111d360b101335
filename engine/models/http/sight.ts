/** Whether a model looks at pictures, as far as its server tells: each kind of server has its own place for that. */
import type { ProviderConnection } from './connection.ts';
import { askServer, type Fields, fieldsOf, isLocal, rowOf } from './model-facts.ts';

/** @returns undefined where nobody tells @throws the signal's reason */
export async function sightOf(
  connection: ProviderConnection,
  model: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const ask = askServer(connection, signal);
  const listed = sightIn(rowOf(await ask('models'), model));
  if (listed !== undefined || !isLocal(connection.base.hostname)) return listed;
  return (
    // llama.cpp: of the model that it has loaded.
    sightIn(fieldsOf(await ask('../props'))) ??
    // Ollama
    sightIn(fieldsOf(await ask('../api/show', { model }))) ??
    // LM Studio
    sightIn(rowOf(await ask('../api/v0/models'), model))
  );
}

function sightIn({ architecture, capabilities, modalities, type }: Fields): boolean | undefined {
  // OpenRouter
  const { input_modalities: inputs } = fieldsOf(architecture);
  if (Array.isArray(inputs)) return inputs.includes('image');
  // Ollama's list; Mistral's and llama.cpp's switches.
  if (Array.isArray(capabilities)) return capabilities.includes('vision');
  const told = fieldsOf(capabilities).vision ?? fieldsOf(modalities).vision;
  if (typeof told === 'boolean') return told;
  // LM Studio
  return type === 'vlm' ? true : type === 'llm' ? false : undefined;
}
