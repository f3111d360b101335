/** Flows as plain data, as they stand in a flow file: what the converter reads and writes. */

/** A node of a flow file; of its properties nothing is certain. */
export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** The node types of `@inductiv/node-red-openai-api`, those of its 0.x releases included. */
export const OLD_NODES: readonly string[] = ['OpenAI API', 'openai-api'];
export const OLD_HOSTS: readonly string[] = ['Service Host', 'service-host'];

/** What they become. */
export const NODE = 'openai-runs';
export const SERVICE = 'openai-runs-service';

/** A saved property that should be a text; anything else counts as empty. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** A saved property that should be a list; anything else counts as none. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Every text that stands anywhere in a value. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) yield* textsIn(inner);
  }
}
