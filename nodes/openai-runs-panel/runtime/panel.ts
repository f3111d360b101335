/** What all routes of the panel have in common: rights, services, and how faults are answered. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { onlyJson, sameSite } from '../../openai-runs-service/admin-guards.ts';
import type { Connection, ServiceNode } from '../../openai-runs-service/connection.ts';

/** Where the panel's routes stand below the editor's own address. */
export const BASE = '/openai-runs-panel';

type Handler = Parameters<NodeAPI['httpAdmin']['get']>[1];
export type Request = Parameters<Extract<Handler, (...all: never[]) => unknown>>[0];
export type Response = Parameters<Extract<Handler, (...all: never[]) => unknown>>[1];

/** A saved node as the runtime has it. */
export type SavedNode = NodeDef & Record<string, unknown>;

/** A fault that the one who asked can do something about. */
export class PanelFault extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class Panel {
  readonly RED: NodeAPI;

  constructor(RED: NodeAPI) {
    this.RED = RED;
  }

  get(route: string, right: 'read', handler: (request: Request, response: Response) => unknown): void {
    const guards = [sameSite, this.RED.auth.needsPermission(`openai-runs.${right}`)] as const;
    this.RED.httpAdmin.get(`${BASE}${route}`, ...guards, answering(handler));
  }

  post(route: string, handler: (request: Request, response: Response) => unknown): void {
    const guards = [sameSite, onlyJson, this.RED.auth.needsPermission('openai-runs.write')] as const;
    this.RED.httpAdmin.post(`${BASE}${route}`, ...guards, answering(handler));
  }

  /** Deployed nodes of a type, as saved. */
  saved(type: string): SavedNode[] {
    const found: SavedNode[] = [];
    this.RED.nodes.eachNode((node) => {
      if (node.type === type && this.RED.nodes.getNode(node.id)) found.push(node as SavedNode);
    });
    return found;
  }

  /** The deployed services that work. */
  services(): ServiceNode[] {
    return this.saved('openai-runs-service').flatMap(({ id }) => {
      return (this.RED.nodes.getNode(id) as ServiceNode | null) ?? [];
    });
  }

  /** @throws PanelFault 404 */
  service(id: unknown): ServiceNode {
    const node = this.RED.nodes.getNode(String(id)) as ServiceNode | null;
    if (node?.type === 'openai-runs-service') return node;
    throw new PanelFault(404, 'There is no such service.');
  }

  /** The node that a run came from, if it is deployed and takes the answers of tools. */
  toolNode(id: string | undefined): Node | undefined {
    const saved = this.saved('openai-runs').find((node) => node.id === id);
    return saved?.tools === true ? (this.RED.nodes.getNode(saved.id) ?? undefined) : undefined;
  }

  /** The service and its connection that a request names. */
  async open(request: Request): Promise<{ service: ServiceNode; connection: Connection }> {
    const service = this.service(request.params.service);
    return { service, connection: await service.connect() };
  }
}

/** @throws PanelFault 403 where people keep to themselves what is said */
export function checkContents({ deployed }: ServiceNode): void {
  if (!deployed.showContents) throw new PanelFault(403, 'This service does not show contents.');
}

/** Whatever goes wrong becomes an answer with one sentence; `explain` has taken keys out of it. */
function answering(handler: (request: Request, response: Response) => unknown) {
  return async (request: Request, response: Response) => {
    try {
      await handler(request, response);
    } catch (error) {
      const { status = 500, message = String(error) } = error as Partial<PanelFault>;
      if (!response.headersSent) response.status(Number(status) || 500).json({ error: message });
      else response.end();
    }
  };
}

/** Does what a connection is needed for; what it throws is worded without any key. @throws PanelFault */
export async function asked<T>(connection: Connection, work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PanelFault) throw error;
    const { message, cause } = connection.explain(error);
    throw new PanelFault(cause.status === 404 ? 404 : 502, message);
  }
}
