/** The assistants that the chosen service offers. */

/** As suggestions for the assistant field; empty for a service that declares none. */
export function assistantsOf(serviceId: string): { value: string; label: string }[] {
  const declared = RED.nodes.node(serviceId)?.assistants;
  if (!Array.isArray(declared)) return [];
  return declared.map(({ id, name }: { id: string; name?: string }) => ({
    value: id,
    label: name ? `${name} (${id})` : id,
  }));
}

/** The name a person gave an assistant, else its id. */
export function assistantName(serviceId: string, id: string): string {
  const declared = RED.nodes.node(serviceId)?.assistants;
  if (!Array.isArray(declared)) return id;
  return declared.find((assistant: { id: string }) => assistant.id === id)?.name || id;
}
