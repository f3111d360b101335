/** The tool loop of one run: calls out, answers in, one submit a round, until the run has ended. */

import type { Node } from 'node-red';
import { RunsError } from '../../shared/errors.ts';
import { follow } from '../follow/follow.ts';
import { poll } from '../follow/poll.ts';
import { hasSettled } from '../follow/run-view.ts';
import type { RunSession } from '../follow/session.ts';
import type { Run } from '../methods/method.ts';
import { submitToolOutputsToRun } from '../methods/submitToolOutputsToRun/method.ts';
import { callsOf, roundKey } from './calls.ts';
import { collect, type EarlierRound } from './collect.ts';
import type { Submission } from './round.ts';

export interface LoopOptions {
  session: RunSession;
  /** What is known of the first round, where that was begun before. */
  earlier?: EarlierRound | undefined;
  /** Runs around the waiting, so that a run that waits for tools holds no place of the service. */
  whileWaiting<T>(wait: () => Promise<T>): Promise<T>;
}

/**
 * Goes on until the run no longer asks for tools.
 * @returns false where another Node-RED goes on with it: what becomes of the run leaves there
 * @throws RunsError when nothing is wired to the tool output, or the rounds are used up; the run is then cancelled
 *   by whoever catches it
 */
export async function runTools(options: LoopOptions): Promise<boolean> {
  const { session } = options;
  const { settings, node, stored, method } = session.parts;
  const { job, t } = session;
  const done = new Map<string, Submission>();
  for (let count = 1; ; count++) {
    const run = session.view.run;
    const calls = callsOf(run, t);
    if (!run || calls.length === 0) return true;
    if (settings.maxToolRounds > 0 && count > settings.maxToolRounds) {
      throw new RunsError(t('error.toolRounds', { count: settings.maxToolRounds }), { code: 'tool_rounds' });
    }
    if (!isWired(node)) throw new RunsError(t('error.toolsNotWired'), { code: 'tools_not_wired' });
    const key = roundKey(calls);
    // The same calls once more: the submit did not get through, so what was answered is submitted again.
    const earlier = count === 1 ? options.earlier : undefined;
    const mustBeFirst = method.answers === 'run' && method.serves && (earlier?.sends ?? true);
    if (mustBeFirst && (await session.connection.takeCalls?.(run.id)) === false) return false;
    const answers =
      done.get(key) ?? (await options.whileWaiting(() => collect(session, run, calls, earlier)));
    job.signal.throwIfAborted();
    if (!answers) continue;
    done.set(key, answers);
    await submit(session, run, answers);
    stored.drop(run.id);
  }
}

/** Whether anything is wired to output 2. Node-RED keeps the wires on the node; its types don't say so. */
function isWired(node: Node): boolean {
  return Boolean((node as Node & { wires?: string[][] }).wires?.[1]?.length);
}

/** Submits a round, once, and follows the run on. A run that ended meanwhile is followed to its end instead. */
async function submit(session: RunSession, run: Run, answers: Submission): Promise<void> {
  session.continueWith(submitToolOutputsToRun, { thread_id: run.thread_id, run_id: run.id, ...answers });
  try {
    await follow(session);
  } catch (error) {
    const { status } = error as { status?: number };
    if (status !== 400 || session.job.signal.aborted) throw error;
    await poll(session);
    const now = session.view.run;
    if (!now || !hasSettled(now) || now.status === 'requires_action') throw error;
  }
}
