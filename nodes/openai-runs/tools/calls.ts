/** The calls of a run's round: what it asks for, and how they leave the node. */

import type { NodeMessage } from 'node-red';
import { isObject } from '../../../engine/domain/is-object.ts';
import { RunsError } from '../../shared/errors.ts';
import type { RunsTranslate } from '../../shared/texts.ts';
import type { RunSession } from '../follow/session.ts';
import type { Run } from '../methods/method.ts';
import { toOutput } from '../output/ports.ts';
import type { Round, ToolCall } from './round.ts';
import type { Tool } from './rounds.ts';

/**
 * The calls that a run waits for; empty if it waits for none.
 * @throws RunsError when it waits for something that is no function call, or does not say what for
 */
export function callsOf(run: Run | undefined, t: RunsTranslate): ToolCall[] {
  if (run?.status !== 'requires_action') return [];
  const action: unknown = run.required_action;
  const type = isObject(action) && typeof action.type === 'string' ? action.type : '–';
  const read = READERS[type];
  const asked = isObject(action) && isObject(action[type]) ? action[type] : {};
  const calls = Array.isArray(asked.tool_calls) && read ? asked.tool_calls.map(read) : [undefined];
  if (calls.every((call) => call !== undefined)) return calls;
  throw new RunsError(t('error.requiredAction', { type: type.slice(0, 80) }), {
    code: 'unknown_action',
    thread_id: run.thread_id,
    run_id: run.id,
  });
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

/** What tells one round from another. */
export const roundKey = (calls: readonly ToolCall[]): string => calls.map(({ id }) => id).join();

/**
 * One message a call that is not answered yet. Each is a copy of its own: a tool's flow may do with it as it likes.
 * @param again whether they may have been sent before
 */
export function sendCalls(session: RunSession, run: Run, round: Round, again = false): void {
  const { RED, node, settings } = session.parts;
  const { calls } = round;
  calls.forEach(({ id, type, name, arguments: text, server }, index) => {
    if (round.isAnswered(id)) return;
    const tool: Tool = {
      type,
      name,
      call_id: id,
      run_id: run.id,
      thread_id: run.thread_id,
      arguments: text,
      index,
      count: calls.length,
      expires_at: run.expires_at,
      node: node.id,
      ...(server !== undefined && { server }),
      ...(again && { again }),
    };
    const copy = RED.util.cloneMessage(session.job.msg) as NodeMessage & { error?: unknown };
    // What a Catch node left on the request must not make a failure of the tool's answer.
    delete copy.error;
    session.job.send(toOutput('tools', Object.assign(copy, { payload: parsed(text), tool }), settings));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
