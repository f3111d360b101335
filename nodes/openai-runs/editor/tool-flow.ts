/** Puts onto the canvas what answers an assistant's functions: a switch by name, and a stub for each. */

import { text } from './i18n.ts';
import type { Link } from './upstream.ts';

/** A function as an assistant declares it. */
export interface DeclaredFunction {
  name: string;
  parameters?: { properties?: Record<string, unknown> };
}

/** Pixels of the canvas between a node and the next one. */
const ACROSS = 190;
const DOWN = 60;

/**
 * Wires the tool output of a node to new nodes, and those back into it; one step of undo takes them away.
 * @param output index of the node's output for tool calls
 */
export function makeToolFlow(node: EditorNode, output: number, functions: DeclaredFunction[]): void {
  const dirty = RED.nodes.dirty();
  const { nodes, links } = RED.nodes.import(toolNodes(node, functions));
  const [first, ...made] = nodes as [EditorNode, ...EditorNode[]];
  const added: Link[] = [
    { source: node, sourcePort: output, target: first },
    ...made.map((stub) => ({ source: stub, sourcePort: 0, target: node })),
  ];
  for (const link of added) RED.nodes.addLink(link);
  RED.history.push({ t: 'add', nodes: nodes.map(({ id }) => id), links: [...links, ...added], dirty });
  RED.nodes.dirty(true);
  RED.view.select({ nodes });
  RED.view.redraw(true);
}

/**
 * The switch and the stubs behind it, beside a node; nothing is wired to that yet.
 * @param outputs what stubs give, by the names of their functions; `{ ok: true }` for the others
 */
export function toolNodes(
  node: EditorNode,
  functions: DeclaredFunction[],
  outputs: ReadonlyMap<string, string> = new Map(),
): [EditorNode, ...EditorNode[]] {
  const choice = switchFor(node, functions);
  const stubs = functions.map((one, index) => stubFor(node, one, index, outputs.get(one.name)));
  choice.wires = stubs.map(({ id }) => [id]);
  return [choice, ...stubs];
}

function switchFor({ z, x, y }: EditorNode, functions: DeclaredFunction[]): EditorNode {
  return {
    id: RED.nodes.id(),
    type: 'switch',
    z,
    name: text('flow.switch'),
    property: 'tool.name',
    propertyType: 'msg',
    rules: functions.map(({ name }) => ({ t: 'eq', v: name, vt: 'str' })),
    checkall: 'true',
    repair: false,
    outputs: functions.length,
    x: x + ACROSS,
    y: y + DOWN,
  };
}

function stubFor(
  { z, x, y }: EditorNode,
  { name, parameters }: DeclaredFunction,
  index: number,
  output: string | undefined,
): EditorNode {
  const names = Object.keys(parameters?.properties ?? {});
  const given = output === undefined ? '{ ok: true }' : JSON.stringify(output);
  const comment = text('flow.stub', { arguments: names.join(', ') || '–' });
  return {
    id: RED.nodes.id(),
    type: 'function',
    z,
    name,
    func: `${comment.replace(/[\r\u2028\u2029]/g, ' ')}\nmsg.payload = ${given};\nreturn msg;`,
    outputs: 1,
    timeout: 0,
    noerr: 0,
    initialize: '',
    finalize: '',
    libs: [],
    x: x + 2 * ACROSS,
    y: y + DOWN * (index + 1),
    wires: [[]],
  };
}
