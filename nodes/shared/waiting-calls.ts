/** What a run waits for: outputs of functions, or a word whether a server may call tools of its own. */
import { isObject } from '../../engine/domain/is-object.ts';

/** A call that a run waits for: a function to be called, or a word whether a server's own tool may be. */
export interface ToolCall {
  id: string;
  type: 'function' | 'approval';
  name: string;
  /** As the model wrote them: JSON text. */
  arguments: string;
  /** Of an approval: whose tool it is. */
  server?: string;
}

/** What a run may wait for, and how its calls are read. Approvals are Azure's, of tools that its own servers call. */
const READERS: Readonly<Record<string, ((call: unknown) => ToolCall | undefined) | undefined>> = {
  submit_tool_outputs: (call) => {
    if (!isObject(call) || typeof call.id !== 'string' || !isObject(call.function)) return undefined;
    const { name, arguments: text } = call.function;
    if (typeof name !== 'string' || typeof text !== 'string') return undefined;
    return { id: call.id, type: 'function', name, arguments: text };
  },
  submit_tool_approval: (call) => {
    if (!isObject(call) || typeof call.id !== 'string' || typeof call.name !== 'string') return undefined;
    const server = typeof call.server_label === 'string' ? { server: call.server_label } : {};
    const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {});
    return { id: call.id, type: 'approval', name: call.name, arguments: text, ...server };
  },
};

/** The kind of what a run waits for, as the API names it; a dash where it does not say. */
export const actionType = ({ required_action: action }: { required_action?: unknown }): string =>
  isObject(action) && typeof action.type === 'string' ? action.type : '–';

/**
 * The calls that a run waits for; none where it waits for nothing.
 * @returns undefined when it waits for something that is no call, or does not say what for
 */
export function waitingCalls(
  run: { status: string; required_action?: unknown } | undefined,
): ToolCall[] | undefined {
  if (run?.status !== 'requires_action') return [];
  const { required_action: action } = run;
  const type = actionType(run);
  const read = READERS[type];
  const asked = isObject(action) && isObject(action[type]) ? action[type] : {};
  const calls = Array.isArray(asked.tool_calls) && read ? asked.tool_calls.map(read) : [undefined];
  return calls.every((call) => call !== undefined) ? calls : undefined;
}
