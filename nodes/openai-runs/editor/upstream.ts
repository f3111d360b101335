/** What the wires of a node tell: a text from an inject node holds no fields; tools need an output that is wired. */

/** Payloads of an inject node that are no object. */
const PLAIN = ['str', 'num', 'bool', 'date'];

export interface Link {
  source: EditorNode;
  /** Index of the output that it leaves by. */
  sourcePort: number;
  target: EditorNode;
}

interface InjectedProperty {
  p: string;
}

/** Whether every node wired into this one is an inject node whose payload is a text or the like. */
export function getsPlainPayload(node: EditorNode): boolean {
  const links = RED.nodes.getNodeLinks(node.id, 1) as Link[];
  return links.length > 0 && links.every(({ source }) => injectsPlain(source));
}

/** Whether a wire leaves by an output of the node. */
export function isWired(node: EditorNode, output: number): boolean {
  const links = RED.nodes.getNodeLinks(node.id, 0) as Link[];
  return links.some(({ sourcePort }) => sourcePort === output);
}

function injectsPlain({ type, props, payloadType }: EditorNode): boolean {
  if (type !== 'inject') return false;
  const sendsPayload = !props || props.some(({ p }: InjectedProperty) => p === 'payload');
  return sendsPayload && PLAIN.includes(payloadType);
}

/** Checks the nodes of a type again when what is wired into them changes: the editor itself does not. */
export function watchWires(type: string): void {
  const check = (node: EditorNode) => {
    if (node.type !== type || !RED.nodes.node(node.id)) return;
    RED.editor.validateNode(node);
    node.dirty = true;
    RED.view.redraw();
  };
  RED.events.on('links:add', (link: Link) => check(link.target));
  RED.events.on('links:remove', (link: Link) => check(link.target));
  RED.events.on('nodes:change', (node: EditorNode) => {
    if (node.type !== 'inject') return;
    for (const { target } of RED.nodes.getNodeLinks(node.id, 0) as Link[]) check(target);
  });
}
