/** The calls of a run's round: what it asks for, and how they leave the node. */

import type { NodeMessage } from 'node-red';
import { RunsError } from '../../shared/errors.ts';
import type { RunsTranslate } from '../../shared/texts.ts';
import { actionType, type ToolCall, waitingCalls } from '../../shared/waiting-calls.ts';
import type { RunSession } from '../follow/session.ts';
import type { Run } from '../methods/method.ts';
import { toOutput } from '../output/ports.ts';
import type { Round } from './round.ts';
import type { Tool } from './rounds.ts';

/**
 * The calls that a run waits for; empty if it waits for none.
 * @throws RunsError when it waits for something that is no function call, or does not say what for
 */
export function callsOf(run: Run | undefined, t: RunsTranslate): ToolCall[] {
  const calls = waitingCalls(run);
  if (calls || !run) return calls ?? [];
  throw new RunsError(t('error.requiredAction', { type: actionType(run).slice(0, 80) }), {
    code: 'unknown_action',
    thread_id: run.thread_id,
    run_id: run.id,
  });
}

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
