/** Which output a message leaves by: 1 result · 2 tool calls (if `tools`) · last: events (if streaming). */
import type { NodeMessage } from 'node-red';
import type { Settings } from '../settings.ts';

export type OutputKind = 'result' | 'tools' | 'events';

/**
 * Puts a message at its output. A node set to `wait` whose message asks for a stream has no output for events:
 * they leave by the first, told apart by `msg.event`.
 */
export function toOutput(
  kind: OutputKind,
  msg: NodeMessage,
  { tools, delivery }: Settings,
): (NodeMessage | null)[] {
  if (kind === 'result') return [msg];
  if (kind === 'tools') return [null, msg];
  if (delivery !== 'stream') return [msg];
  return tools ? [null, null, msg] : [null, msg];
}
