/** What a conversion changes in a workspace: which nodes go, and which take their places. */
import { findMethod } from '../../methods/index.ts';
import { VERSION } from '../../migrations/index.ts';
import { type RunsNodeDef, readSettings } from '../../settings.ts';
import { type FlowNode, NODE, SERVICE } from './flow.ts';
import { convertible, needsService, type OldHost, type OldNode, type Survey } from './survey.ts';

/** Where the nodes of a host go: a new service, or the id of one that is there. */
export type Target = 'embedded' | 'server' | (string & {});

export interface Options {
  /** By the host's id. */
  targets: ReadonlyMap<string, Target>;
  /** What a new service starts with. */
  serviceDefaults: Readonly<Record<string, unknown>>;
  /** Makes an id that no node has. */
  newId(): string;
  /** What the first, second, … assistant is called. */
  assistantName(number: number): string;
}

export interface Change {
  /** Ids of nodes that go: hosts first. */
  remove: string[];
  /**
   * Nodes that come, as in a flow file: services first. Most have the id of one that goes. `needsKey`, which is not
   * saved, marks a service whose key is still to be entered.
   */
  add: FlowNode[];
}

/** What an old node has of its own in the editor, whatever its type. */
const KEPT = ['id', 'z', 'g', 'd', 'l', 'x', 'y', 'name', 'info', 'icon', 'inputLabels'] as const;

/**
 * Plans what becomes of all that can be converted. Everything else stays as it is.
 * @param found what `survey` found
 */
export function planConversion(found: Survey, options: Options): Change {
  const change: Change = { remove: [], add: [] };
  const services = new Map<string, string>();
  for (const host of found.hosts) {
    const target = options.targets.get(host.id) ?? 'embedded';
    const isNew = target === 'embedded' || target === 'server';
    // Its own id where it can be had: whatever else names the host goes on to find it.
    const id = !isNew ? target : host.stays || host.id === '' ? options.newId() : host.id;
    services.set(host.id, id);
    if (host.id !== '' && !host.stays) change.remove.push(host.id);
    if (isNew) change.add.push(newService(id, host, target, found.assistants, options));
  }
  for (const node of convertible(found)) {
    const service = needsService(node) || node.host ? services.get(node.host) : node.saved.service;
    change.remove.push(node.id);
    change.add.push(newNode(node, String(service ?? '')));
  }
  return change;
}

function newService(
  id: string,
  host: OldHost,
  target: Target,
  assistants: readonly string[],
  { serviceDefaults, assistantName }: Options,
): FlowNode {
  const { z, d, info } = host.saved ?? ({} as Partial<FlowNode>);
  const server = target === 'server' ? host.server : undefined;
  const declared = assistants.map((assistant, index) => ({ id: assistant, name: assistantName(index + 1) }));
  return {
    ...structuredClone(serviceDefaults),
    ...filled({ z, d, info }),
    id,
    type: SERVICE,
    name: host.name,
    ...(server ? server.settings : { backend: 'embedded', provider: 'rehearsal', assistants: declared }),
    ...filled({ needsKey: server?.note ? true : undefined }),
  };
}

/** A node that does what the old one did: it never waits, and gives what the API answers. */
function newNode({ saved, method, streams }: OldNode, service: string): FlowNode {
  const known = findMethod(method);
  const wires = Array.isArray(saved.wires) ? (saved.wires[0] ?? []) : [];
  const { property, propertyType } = saved;
  // In the 0.x releases lists came as the API's page; later as the array of its items.
  const paging = known?.answers === 'list' && saved.type !== 'openai-api' ? 'items' : 'page';
  const delivers = {
    delivery: streams ? 'stream' : 'start',
    result: 'run',
    busy: 'error',
    failures: 'output',
  };
  return {
    ...readSettings({ property, propertyType } as unknown as RunsNodeDef),
    name: '',
    ...filled(Object.fromEntries(KEPT.map((name) => [name, saved[name]]))),
    // The old node's one output is now the last of two where events leave by their own.
    ...(streams ? {} : filled({ outputLabels: saved.outputLabels })),
    id: saved.id,
    type: NODE,
    version: VERSION,
    service,
    method,
    ...(known?.delivers ? delivers : {}),
    paging,
    outputs: streams ? 2 : 1,
    wires: streams ? [[], wires] : [wires],
  };
}

/** Without what has no value. */
function filled(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}
