/** What things are called: services, nodes, assistants, statuses. */
import type { PanelText } from '../../shared/texts.ts';
import { get } from './api.ts';
import { text } from './i18n.ts';
import type { NodeInfo, Origin, ServiceInfo } from './types.ts';

export class Names {
  services: ServiceInfo[] = [];
  nodes: NodeInfo[] = [];
  /** By service: its assistants, as they were asked for. */
  private readonly assistants = new Map<string, Promise<{ id: string; name: string | null }[]>>();
  /** By service and id. */
  private readonly assistantNames = new Map<string, string>();

  /** Reads services and nodes, as they are deployed now. */
  async read(): Promise<void> {
    const { services, nodes } = await get<{ services: ServiceInfo[]; nodes: NodeInfo[] }>('services');
    Object.assign(this, { services, nodes });
    this.assistants.clear();
    await Promise.all(services.map(({ id }) => this.assistantsOf(id)));
  }

  /** The assistants of a service; none where it does not answer. */
  assistantsOf(service: string): Promise<{ id: string; name: string | null }[]> {
    const asked =
      this.assistants.get(service) ??
      get<{ id: string; name: string | null }[]>(`${encodeURIComponent(service)}/assistants`).catch(() => []);
    this.assistants.set(service, asked);
    return asked.then((found) => {
      for (const { id, name } of found) this.assistantNames.set(`${service}/${id}`, name || id);
      return found;
    });
  }

  /** Assistants of a service, or of all where none is named; one id may have several names. */
  assistantsIn(service: string): [id: string, name: string][] {
    const names = new Map<string, Set<string>>();
    for (const [place, name] of this.assistantNames) {
      const [of = '', id = ''] = place.split('/');
      if (service === '' || service === of) names.set(id, (names.get(id) ?? new Set()).add(name));
    }
    return [...names].map(([id, all]) => [id, [...all].join(', ')]);
  }

  assistant(service: string, id: string): string {
    return this.assistantNames.get(`${service}/${id}`) ?? id;
  }

  service(id: string): string {
    const known = this.services.find((service) => service.id === id);
    return labelOf(id, known?.name || id);
  }

  /** @param before what it was called, for one that is gone */
  node(id: string, before?: string): string {
    return labelOf(id, this.nodes.find((node) => node.id === id)?.name || before || id);
  }

  /** Where a run came from. */
  origin(origin: Origin | undefined): string {
    if (!origin) return text('fromElsewhere');
    const { node, name } = origin;
    if (node === '') return text('viaKey', { name });
    return node === 'panel' ? text('fromPanel') : this.node(node, name);
  }
}

/** As the editor calls it; it has neither nodes that are deleted, nor those of another editor or Node-RED. */
function labelOf(id: string, otherwise: string): string {
  const node = RED.nodes.node(id);
  return node ? RED.utils.getNodeLabel(node, otherwise) : otherwise;
}

/** A status in words; one that no run has here stays as it is. */
export function statusName(status: string): string {
  const key = `status.${status}` as PanelText;
  const said = text(key);
  return said.includes('status.') ? status : said;
}

/** How a status looks: a shape and a colour, so that neither alone has to be seen. */
export const LOOKS: Record<string, readonly [icon: string, colour: string]> = {
  completed: ['check-circle', 'green'],
  failed: ['times-circle', 'red'],
  expired: ['hourglass-end', 'red'],
  incomplete: ['adjust', 'red'],
  cancelled: ['ban', 'grey'],
  cancelling: ['ban', 'grey'],
  requires_action: ['hand-paper-o', 'yellow'],
  tools: ['hand-paper-o', 'yellow'],
  queued: ['clock-o', 'blue'],
  waiting: ['clock-o', 'blue'],
  requesting: ['arrow-circle-o-up', 'blue'],
  in_progress: ['circle-o-notch', 'blue'],
  streaming: ['pencil', 'green'],
};
