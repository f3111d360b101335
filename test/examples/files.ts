/** The example flows as they stand in their files. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../examples/user-directory.ts';

/** A node of a flow file. */
export interface FlowNode {
  id: string;
  type: string;
  name?: string;
  z?: string;
  wires?: string[][];
  // biome-ignore lint/suspicious/noExplicitAny: each type has properties of its own
  [property: string]: any;
}

export interface Example {
  /** As the import dialog shows it, e.g. `01 - Ask and wait`. */
  name: string;
  text: string;
  nodes: FlowNode[];
}

const FOLDER = path.join(ROOT, 'examples');

/** All examples in their order. */
export function readExamples(): Example[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => {
    const text = readFileSync(path.join(FOLDER, file), 'utf8');
    return { name: file.slice(0, -'.json'.length), text, nodes: JSON.parse(text) };
  });
}

/** Whether Node-RED and this package bring all that an example needs; one unknown type stops every flow. */
export const isRunnable = ({ nodes }: Example): boolean => !nodes.some(({ type }) => type.startsWith('ui-'));

/** The one node of a type and name in an example. */
export function nodeOf({ name: example, nodes }: Example, type: string, name: string): FlowNode {
  const found = nodes.filter((node) => node.type === type && node.name === name);
  if (found.length !== 1) throw new Error(`${example} has ${found.length} nodes ${type} "${name}"`);
  return found[0] as FlowNode;
}
