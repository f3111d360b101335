/** Carries a planned change out in the editor's workspace, as one step of its history. */
import type { FlowNode } from './flow.ts';
import type { Change } from './plan.ts';

/** Where nodes stood: ids in the order of their tabs and groups. */
interface Orders {
  tabs: Map<string, string[]>;
  groups: Map<string, string[]>;
}

/**
 * Replaces nodes in their places: ids, wires, groups and the order on the tab stay. Undo gives back what was there.
 * @param change its nodes have the ids of those that they replace, and one output or the old one as their last
 */
export function replaceNodes({ remove, add }: Change): void {
  const wasDirty = RED.nodes.dirty();
  const removed = remove.map((id) => RED.nodes.node(id)).filter((node) => node !== null);
  const orders = ordersAround(removed);
  const links = linksOf(new Set(remove));
  RED.view.select(null);
  for (const { id } of removed) RED.nodes.remove(id);
  redrawWithout();
  const added = importNodes(add);
  joinGroups(added, removed);
  markKeyless(added, add);
  const newLinks = links.map((link) => relinked(link, added));
  for (const link of newLinks) RED.nodes.addLink(link);
  restore(orders);
  // Undone and done again, the editor has to see each time that the old nodes are gone before it draws the new.
  RED.history.push({
    t: 'multi',
    events: [
      { t: 'delete', nodes: removed, links, callback: redrawWithout },
      { t: 'add', nodes: [...added.keys()], links: newLinks, callback: redrawWithout },
    ],
    dirty: wasDirty,
    callback: () => restore(orders),
  });
  RED.nodes.dirty(true);
  RED.workspaces.refresh();
  RED.sidebar.config.refresh();
  RED.view.redraw(true);
}

/** Draws at once: a node that comes under the same id would otherwise keep the looks of the one before. */
function redrawWithout(): void {
  RED.view.redraw(true, true);
}

/** Makes nodes of their saved form; wires and groups, which name nodes outside of these, are joined later. */
function importNodes(add: readonly FlowNode[]): Map<string, EditorNode> {
  const saved = add.map(({ wires, g: _g, ...node }) => (wires ? { ...node, wires: [] } : node));
  const { nodes } = RED.nodes.import(structuredClone(saved), { reimport: true, markChanged: true });
  return new Map(nodes.map((node) => [node.id, node]));
}

/** Services without a key are not ready, and so are the nodes that use them. */
function markKeyless(added: ReadonlyMap<string, EditorNode>, saved: readonly FlowNode[]): void {
  const keyless = saved.filter(({ needsKey }) => needsKey);
  if (keyless.length === 0) return;
  for (const { id } of keyless) Object.assign(added.get(id) ?? {}, { needsKey: true });
  for (const node of added.values()) RED.editor.validateNode(node);
}

function linksOf(ids: ReadonlySet<string>): EditorLink[] {
  const links: EditorLink[] = [];
  RED.nodes.eachLink((link) => {
    if (ids.has(link.source.id) || ids.has(link.target.id)) links.push(link);
  });
  return links;
}

/** A link with the new nodes at its ends; what left by the one output leaves by the last. */
function relinked(
  { source, sourcePort, target }: EditorLink,
  added: ReadonlyMap<string, EditorNode>,
): EditorLink {
  const newSource = added.get(source.id);
  return {
    source: newSource ?? source,
    sourcePort: newSource ? newSource.outputs - 1 : sourcePort,
    target: added.get(target.id) ?? target,
  };
}

/** Puts new nodes into the groups of those that they replace. */
function joinGroups(added: ReadonlyMap<string, EditorNode>, removed: readonly EditorNode[]): void {
  for (const old of removed) {
    const node = added.get(old.id);
    const group = groupOf(old);
    if (!node || !group) continue;
    node.g = old.g;
    group.nodes = group.nodes.map((member) => (member.id === old.id ? node : member));
    RED.group.markDirty(group);
  }
}

function groupOf({ g }: EditorNode): EditorGroup | undefined {
  return g ? RED.nodes.group(g) : undefined;
}

function ordersAround(nodes: readonly EditorNode[]): Orders {
  const orders: Orders = { tabs: new Map(), groups: new Map() };
  // Nodes of the configuration stand on no tab, even where they belong to one.
  for (const node of nodes.filter(({ _def }) => _def.category !== 'config')) {
    orders.tabs.set(node.z, RED.nodes.getNodeOrder(node.z));
    const group = groupOf(node);
    if (group)
      orders.groups.set(
        group.id,
        group.nodes.map(({ id }) => id),
      );
  }
  return orders;
}

function restore({ tabs, groups }: Orders): void {
  for (const [z, order] of tabs) RED.nodes.setNodeOrder(z, order);
  for (const [id, order] of groups) {
    RED.nodes.group(id)?.nodes.sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id));
  }
}
