/** Writes what was changed in a chat into the assistant: where it is declared, or by the API. */
import { post } from '../api.ts';
import type { AssistantInfo } from '../types.ts';

/** Values of the API's fields of that name. */
export interface ChangedValues {
  instructions?: string;
  model?: string;
  temperature?: number;
}

/**
 * An assistant that a service's dialog declares changes there, as by that dialog: with the next deploy, and with one step
 * of undo. Any other changes at once.
 * @returns what the assistant is set to now; undefined where a deploy has to come first
 * @throws Error with what the runtime says
 */
export async function saveChanges(
  serviceId: string,
  assistantId: string,
  values: ChangedValues,
): Promise<Partial<AssistantInfo> | undefined> {
  const service = RED.nodes.node(serviceId);
  if (!service || !isDeclared(service, assistantId))
    return post(`${encodeURIComponent(serviceId)}/assistants/${encodeURIComponent(assistantId)}`, values);
  const { assistants, changed } = service;
  RED.history.push({ t: 'edit', node: service, changes: { assistants }, changed, dirty: RED.nodes.dirty() });
  service.assistants = assistants.map((one: { id: string }) =>
    one.id === assistantId ? { ...one, ...values } : one,
  );
  service.changed = true;
  RED.editor.validateNode(service);
  RED.events.emit('nodes:change', service);
  RED.nodes.dirty(true);
  RED.view.redraw();
  return undefined;
}

function isDeclared({ backend, assistants }: EditorNode, id: string): boolean {
  return (
    backend !== 'server' &&
    Array.isArray(assistants) &&
    assistants.some((one: { id: string }) => one.id === id)
  );
}
