/** What of the old package stands in a workspace, and what can become of it. */
import { findMethod } from '../../methods/index.ts';
import { assistantIds } from './assistants.ts';
import { type FlowNode, OLD_HOSTS, OLD_NODES, SERVICE, textOf } from './flow.ts';
import { addressOf, isOpenAI, type ServerSettings, serverSettings, sourceOf } from './hosts.ts';
import { asksForStream, Wiring } from './streams.ts';

/** Why a node is left as it is. */
export type Reason = 'noMethod' | 'method' | 'locked';

export interface OldNode {
  id: string;
  name: string;
  /** What its tab or subflow is called. */
  place: string;
  /** Under the name that this package has for it. */
  method: string;
  /** Id of its Service Host; empty where it has none. */
  host: string;
  /** Undefined for a node that can be converted. */
  reason?: Reason;
  /** Whether all that is wired into it asks for a stream. */
  streams: boolean;
  saved: FlowNode;
}

export interface OldHost {
  /** Empty for the nodes that have no Service Host. */
  id: string;
  name: string;
  /** Its server; undefined where each message brings it, or there is none. */
  address?: string;
  /** Where each message brings the address, as a person writes it. */
  addressFrom?: string;
  openAI: boolean;
  /** How many of its nodes can be converted. */
  count: number;
  /** Whether nodes that are left as they are still need it. */
  stays: boolean;
  /** A service on the same server, where there can be one. */
  server?: ServerSettings;
  saved?: FlowNode;
}

export interface Survey {
  nodes: OldNode[];
  /** Those that something is to become of. */
  hosts: OldHost[];
  /** Ids of assistants that the flows speak of. */
  assistants: string[];
  /** Ids of services that are there already, for the whole workspace. */
  services: string[];
  /** Whether anything at all of the old package was found. */
  found: boolean;
}

/** Spellings of the 0.x releases. */
const RENAMED: Readonly<Record<string, string>> = { submitToolOuputsToRun: 'submitToolOutputsToRun' };

/**
 * Looks through a workspace.
 * @param flow all nodes, as in a flow file; types that are not installed under their own names
 */
export function survey(flow: readonly FlowNode[]): Survey {
  const byId = new Map(flow.map((node) => [node.id, node]));
  const wiring = new Wiring(flow);
  const nodes = flow
    .filter(({ type }) => OLD_NODES.includes(type))
    .map((saved) => readNode(saved, byId, wiring));
  const hosts = flow.filter(({ type }) => OLD_HOSTS.includes(type));
  return {
    nodes,
    hosts: [...hosts.map((saved) => readHost(saved, nodes, byId)), ...without(nodes)].filter(
      ({ count, stays }) => count > 0 || !stays,
    ),
    assistants: assistantIds(flow),
    services: flow.filter(({ type, z }) => type === SERVICE && !z).map(({ id }) => id),
    found: nodes.length + hosts.length > 0,
  };
}

function readNode(saved: FlowNode, byId: ReadonlyMap<string, FlowNode>, wiring: Wiring): OldNode {
  const asked = textOf(saved.method);
  const method = Object.hasOwn(RENAMED, asked) ? (RENAMED[asked] as string) : asked;
  const place = byId.get(textOf(saved.z));
  const host = byId.get(textOf(saved.service));
  const known = findMethod(method);
  const reason = !method ? 'noMethod' : !known ? 'method' : place?.locked ? 'locked' : undefined;
  const canStream = known?.answers === 'run' && known.stream !== undefined;
  return {
    id: saved.id,
    name: textOf(saved.name),
    place: textOf(place?.label) || textOf(place?.name),
    method,
    host: host && OLD_HOSTS.includes(host.type) ? host.id : '',
    reason,
    streams: canStream && asksForStream(saved.id, textOf(saved.property) || 'payload', wiring),
    saved,
  };
}

function readHost(saved: FlowNode, nodes: readonly OldNode[], byId: ReadonlyMap<string, FlowNode>): OldHost {
  const users = nodes.filter(({ host }) => host === saved.id);
  const address = addressOf(saved);
  return {
    id: saved.id,
    name: textOf(saved.name),
    address,
    addressFrom: address === undefined ? sourceOf(saved, 'apiBase') : undefined,
    openAI: isOpenAI(address),
    count: users.filter(({ reason }) => !reason).length,
    stays: users.some(({ reason }) => reason) || Boolean(byId.get(textOf(saved.z))?.locked),
    server: serverSettings(saved),
    saved,
  };
}

/** Stands for the host of nodes that have none; one whose service is `${NAME}` has one that is not seen here. */
function without(nodes: readonly OldNode[]): OldHost[] {
  const count = nodes.filter((node) => !node.reason && needsService(node)).length;
  return count > 0 ? [{ id: '', name: '', openAI: false, count, stays: false }] : [];
}

/** Whether a node names no service that it could keep. */
export function needsService({ host, saved }: OldNode): boolean {
  return host === '' && !textOf(saved.service).startsWith('${');
}

/** Where a host's nodes may go: what is proposed comes first. */
export function targetsOf(host: OldHost): readonly ('embedded' | 'server')[] {
  return host.server && !host.openAI ? ['server', 'embedded'] : ['embedded'];
}

export const convertible = ({ nodes }: Survey) => nodes.filter(({ reason }) => !reason);
export const left = ({ nodes }: Survey) => nodes.filter(({ reason }) => reason);
