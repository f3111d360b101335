/** The assistants that the chosen service offers. */

import type { DeclaredFunction } from './tool-flow.ts';

/** An assistant to choose: its id, and what a person calls it. */
export interface Choice {
  value: string;
  label: string;
}

interface Assistant {
  id: string;
  name?: string | null;
}

/** What servers answered, by service; asked once for each dialog. */
const asked = new Map<string, Promise<Assistant[]>>();

/** Forgets what servers answered, when a dialog opens. */
export function forgetAssistants(): void {
  asked.clear();
}

/** The declared assistants of the embedded engine, else those that the server has. */
export async function assistantsOf(serviceId: string): Promise<Choice[]> {
  const service = RED.nodes.node(serviceId);
  if (!service) return [];
  const assistants =
    service.backend === 'server' ? await ask(serviceId) : (service.assistants as Assistant[]);
  return (assistants ?? []).map(({ id, name }) => ({ value: id, label: name || id }));
}

/** The name a person gave an assistant, else its id. */
export function assistantName(serviceId: string, id: string): string {
  const declared = RED.nodes.node(serviceId)?.assistants;
  if (!Array.isArray(declared)) return id;
  return declared.find((assistant: Assistant) => assistant.id === id)?.name || id;
}

/** The functions that a declared assistant may call. */
export function functionsOf(serviceId: string, id: string): DeclaredFunction[] {
  const service = RED.nodes.node(serviceId);
  if (!service || service.backend === 'server') return [];
  const declared = (service.assistants ?? []).find((assistant: Assistant) => assistant.id === id);
  return (declared?.tools ?? [])
    .filter((tool: { type: string }) => tool.type === 'function')
    .map((tool: { function?: DeclaredFunction }) => tool.function)
    .filter((one: DeclaredFunction | undefined) => one?.name);
}

/** The models of the service's provider; none where it lists none, or is not deployed yet. */
export async function modelsOf(serviceId: string): Promise<Choice[]> {
  if (!serviceId) return [];
  const names = await Promise.resolve<string[]>(
    $.getJSON(`openai-runs-service/${encodeURIComponent(serviceId)}/models`),
  ).catch(() => []);
  return names.map((name) => ({ value: name, label: name }));
}

function ask(serviceId: string): Promise<Assistant[]> {
  const known = asked.get(serviceId);
  if (known) return known;
  const answer = Promise.resolve<Assistant[]>(
    $.getJSON(`openai-runs-service/${encodeURIComponent(serviceId)}/assistants`),
  ).catch(() => []);
  asked.set(serviceId, answer);
  return answer;
}
