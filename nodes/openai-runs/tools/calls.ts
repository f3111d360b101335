/** The calls of a run's round: what it asks for, and how they leave the node. */
import type { NodeMessage } from 'node-red';
import { RunsError } from '../../shared/errors.ts';
import type { RunsTranslate } from '../../shared/texts.ts';
import type { RunSession } from '../follow/session.ts';
import type { Run } from '../methods/method.ts';
import { toOutput } from '../output/ports.ts';
import { isObject } from '../settings.ts';
import type { ToolCall } from './round.ts';
import type { Tool } from './rounds.ts';

/**
 * The calls that a run waits for; empty if it waits for none.
 * @throws RunsError when it waits for something that is no function call, or does not say what for
 */
export function callsOf(run: Run | undefined, t: RunsTranslate): ToolCall[] {
  if (run?.status !== 'requires_action') return [];
  const action: unknown = run.required_action;
  const type = isObject(action) && typeof action.type === 'string' ? action.type : '–';
  const asked = isObject(action) && isObject(action.submit_tool_outputs) ? action.submit_tool_outputs : {};
  const calls: unknown = asked.tool_calls;
  if (Array.isArray(calls) && calls.every(isCall)) return calls;
  throw new RunsError(t('error.requiredAction', { type: type.slice(0, 80) }), {
    code: 'unknown_action',
    thread_id: run.thread_id,
    run_id: run.id,
  });
}

function isCall(call: unknown): call is ToolCall {
  if (!isObject(call) || typeof call.id !== 'string' || !isObject(call.function)) return false;
  return typeof call.function.name === 'string' && typeof call.function.arguments === 'string';
}

/** What tells one round from another. */
export const roundKey = (calls: readonly ToolCall[]): string => calls.map(({ id }) => id).join();

/** One message a call. Each is a copy of its own: a tool's flow may do with it as it likes. */
export function sendCalls(session: RunSession, run: Run, calls: ToolCall[]): void {
  const { RED, node, settings } = session.parts;
  calls.forEach(({ id, function: { name, arguments: text } }, index) => {
    const tool: Tool = {
      name,
      call_id: id,
      run_id: run.id,
      thread_id: run.thread_id,
      arguments: text,
      index,
      count: calls.length,
      expires_at: run.expires_at,
      node: node.id,
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
