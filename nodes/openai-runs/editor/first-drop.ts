/** A node that is new on the canvas is ready to go: it takes the one service there is, or brings one that answers. */
import { text } from './i18n.ts';

const SERVICE = 'openai-runs-service';

/** As the editor's history has what was added. */
interface AddEvent {
  t: string;
  nodes?: string[];
  events?: AddEvent[];
}

/**
 * Fills in service and assistant of a node that comes from the palette; called before the editor adds it. One that is
 * pasted or imported has its place already, and keeps what it has.
 */
export function makeReady(node: EditorNode): void {
  if (node.x !== undefined || node.service) return;
  const services: EditorNode[] = [];
  RED.nodes.eachConfig((config) => {
    if (config.type === SERVICE) services.push(config);
    return true;
  });
  const [only, ...more] = services;
  if (more.length > 0) return;
  const service = only ?? bringService(node.id);
  node.service = service.id;
  const assistant = onlyAssistant(service);
  if (assistant) node.fields = { ...node.fields, assistant_id: { value: assistant, type: 'str' } };
}

/** The id of the one assistant that a service declares; undefined where there is a choice. */
export function onlyAssistant(service: EditorNode | null): string | undefined {
  const declared = service?.backend === 'server' ? [] : (service?.assistants ?? []);
  return declared.length === 1 ? declared[0].id : undefined;
}

/** A service on the rehearsal model with one assistant. Undo takes it back together with the node. */
function bringService(nodeId: string): EditorNode {
  const definition = RED.nodes.getType(SERVICE);
  const saved = Object.entries(definition.defaults).map(([name, { value }]) => [
    name,
    structuredClone(value),
  ]);
  const service: EditorNode = {
    ...Object.fromEntries(saved),
    id: RED.nodes.id(),
    type: SERVICE,
    _def: definition,
    users: [],
    changed: true,
    valid: true,
    assistants: [{ id: 'asst_Helper', name: text('first.helper'), instructions: text('first.instructions') }],
  };
  RED.nodes.add(service);
  // The editor writes its history when the node is in place.
  setTimeout(() => addedWith(RED.history.peek(), nodeId)?.nodes?.push(service.id));
  return service;
}

/** The event that added the node, alone or among others that happened with it. */
function addedWith(event: AddEvent | undefined, nodeId: string): AddEvent | undefined {
  if (event?.t === 'add' && event.nodes?.includes(nodeId)) return event;
  return event?.events?.map((one) => addedWith(one, nodeId)).find(Boolean);
}
