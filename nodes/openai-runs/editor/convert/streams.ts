/** Whether the nodes before a node visibly ask for a stream. */
import { type FlowNode, listOf, textOf } from './flow.ts';

/** Nodes that hand a message on as it is. */
const PASSING: readonly string[] = ['link in', 'link out', 'junction', 'delay', 'switch', 'rbe'];

interface Rule {
  t?: unknown;
  p?: unknown;
  to?: unknown;
}

/** The nodes of a flow, and who is wired into whom. */
export class Wiring {
  private readonly before = new Map<string, FlowNode[]>();

  constructor(flow: readonly FlowNode[]) {
    for (const node of flow) {
      // A subflow's own inputs: what comes in there can't be seen.
      const inputs = node.type === 'subflow' ? listOf(node.in).map((port) => (port as FlowNode)?.wires) : [];
      for (const target of [node.wires, ...inputs].flatMap((wires) => listOf(wires)).flat()) {
        this.add(typeof target === 'object' ? (target as FlowNode | null)?.id : target, node);
      }
      if (node.type === 'link out') for (const target of listOf(node.links)) this.add(target, node);
    }
  }

  /** The nodes whose messages reach a node directly. */
  sources(id: string): readonly FlowNode[] {
    return this.before.get(id) ?? [];
  }

  private add(target: unknown, source: FlowNode): void {
    if (typeof target !== 'string') return;
    const sources = this.before.get(target) ?? [];
    if (!sources.includes(source)) sources.push(source);
    this.before.set(target, sources);
  }
}

/** Whether a text holds `stream: true`, as JSON, JavaScript or JSONata. */
function saysStream(text: unknown): boolean {
  return typeof text === 'string' && /\bstream["'`]?\]?\s*[:=]\s*true\b/.test(text);
}

const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');

/** Whether setting a property to a value is asking for a stream. */
function setsStream(path: unknown, value: unknown, property: string): boolean {
  if (path === `${property}.stream`) return String(value) === 'true';
  return path === property && saysStream(value);
}

/** Whether every message that a node makes or changes asks for a stream. */
function asks(node: FlowNode, property: string): boolean {
  switch (node.type) {
    case 'inject': {
      if (property === 'payload' && saysStream(node.payload)) return true;
      const props = listOf(node.props) as { p?: unknown; v?: unknown }[];
      return props.some(({ p, v }) => setsStream(p, v, property));
    }
    case 'function':
      return saysStream(withoutComments(textOf(node.func)));
    case 'template':
      return saysStream(node.template);
    case 'change':
      return (listOf(node.rules) as Rule[]).some(
        ({ t, p, to }) => t === 'set' && setsStream(p, to, property),
      );
    default:
      return false;
  }
}

/**
 * Whether all that is wired into a node asks for a stream, as far as can be seen: inject, function, change and template
 * nodes, and what only passes messages on between them. Where one of them does not, or can't be seen, it is false.
 * @param property where the node reads its request
 */
export function asksForStream(id: string, property: string, wiring: Wiring): boolean {
  const seen = new Set<string>();
  const all = (target: string): boolean => {
    if (seen.has(target)) return true;
    seen.add(target);
    const sources = wiring.sources(target);
    return (
      sources.length > 0 &&
      sources.every((source) => (PASSING.includes(source.type) ? all(source.id) : asks(source, property)))
    );
  };
  return all(id);
}
