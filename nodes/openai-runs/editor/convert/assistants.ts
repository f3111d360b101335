/** Which assistants the flows speak of: OpenAI's own ids, wherever they are written down. */
import { type FlowNode, NODE, SERVICE, textsIn } from './flow.ts';

/** Nodes that know assistants of their own, or say nothing that is run. */
const SILENT: readonly string[] = [NODE, SERVICE, 'comment'];

/** An id by itself: no part of a longer name, and no property of something. */
const ID = /(?<![\w$.])asst_[A-Za-z0-9]+(?!\w)/g;

/** What people call a variable is no id: an id stands alone, or in quotes, or has a digit. */
function isId(found: string, text: string, index: number): boolean {
  return /\d/.test(found) || text.trim() === found || /["'`]/.test(text[index - 1] ?? '');
}

/**
 * The ids of assistants in the flows, each once, in the order in which they are found.
 * @param flow all nodes, as in a flow file
 */
export function assistantIds(flow: readonly FlowNode[]): string[] {
  const ids = new Set<string>();
  for (const { info: _info, ...node } of flow) {
    if (SILENT.includes(node.type)) continue;
    for (const text of textsIn(node)) {
      for (const { 0: found, index } of text.matchAll(ID)) if (isId(found, text, index)) ids.add(found);
    }
  }
  return [...ids];
}
