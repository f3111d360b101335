/** Waits until every call of a round is answered, a tool is out of time, or the run stops waiting. */
import { LONGEST_TIMER_MS } from '../../../engine/domain/waits.ts';
import type { ToolCall } from '../../shared/waiting-calls.ts';
import { poll } from '../follow/poll.ts';
import type { RunSession } from '../follow/session.ts';
import type { Run } from '../methods/method.ts';
import { callsOf, roundKey, sendCalls } from './calls.ts';
import { errorOutput } from './output.ts';
import type { Submission } from './round.ts';

/** Milliseconds after a run's expiry at which it is looked at, and between looks if it waits on all the same. */
const AFTER_EXPIRY = 1_000;
const LOOK_AGAIN = 10_000;

/** A round that was begun before, here or by another process. */
export interface EarlierRound {
  /** Answers that are known, by call id. */
  outputs: ReadonlyMap<string, string>;
  /** Whether the calls without one are sent out; else their answers are on their way. */
  sends: boolean;
  /** Whether they may have been sent before. */
  again: boolean;
}

/** Sends the calls out and waits for the answers; nothing is returned if the run stops waiting for them. */
export async function collect(
  session: RunSession,
  run: Run,
  calls: ToolCall[],
  earlier?: EarlierRound,
): Promise<Submission | undefined> {
  const { job, t } = session;
  const { rounds, settings } = session.parts;
  let wake = () => {};
  const round = rounds.begin(run.id, calls, (changed) => {
    session.trace.answered(changed);
    session.showTools(changed);
    if (changed.complete) wake();
  });
  const stop = () => wake();
  // Whoever else cancels it need not wait until it expires.
  const forget = session.parts.service.activity.onRun(run.id, stop);
  const since = Date.now();
  let timer: NodeJS.Timeout | undefined;
  job.signal.addEventListener('abort', stop, { once: true });
  let endAsking: (() => Promise<void>) | undefined;
  try {
    session.showTools(round);
    // Where several Node-REDs share a database, an answer may come in at any of them.
    const { together } = session.connection;
    endAsking = await together?.answers.ask(run.id, (callId, output) => round.answer(callId, output));
    for (const [id, output] of earlier?.outputs ?? []) round.answer(id, output);
    if (earlier?.sends ?? true) sendCalls(session, run, round, earlier?.again);
    while (!round.complete) {
      const { wait, timesOut } = waitFor(run, settings.toolTimeout, since);
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(stop, wait);
        if (job.signal.aborted) resolve();
      });
      clearTimeout(timer);
      job.signal.throwIfAborted();
      if (round.complete) break;
      if (timesOut) round.fill(errorOutput(t('error.toolTimeout', { seconds: settings.toolTimeout })));
      else if (!(await stillWaits(session, calls))) return undefined;
      session.showTools(round);
    }
    return round.submission;
  } finally {
    forget();
    clearTimeout(timer);
    job.signal.removeEventListener('abort', stop);
    rounds.end(round);
    endAsking?.().catch((error: unknown) => session.parts.node.debug(String(error)));
  }
}

/** Looks whether a run that should have expired still waits: the server's clock may be another than ours. */
async function stillWaits(session: RunSession, calls: readonly ToolCall[]): Promise<boolean> {
  await poll(session);
  return roundKey(callsOf(session.view.run, session.t)) === roundKey(calls);
}

/** How long to wait for answers, in milliseconds; then either the tools are out of time or the run is looked at. */
function waitFor(run: Run, toolTimeout: number, since: number): { wait: number; timesOut: boolean } {
  const now = Date.now();
  const asked = toolTimeout > 0 ? since + toolTimeout * 1000 : Number.POSITIVE_INFINITY;
  const expiry = run.expires_at ? run.expires_at * 1000 + AFTER_EXPIRY : Number.POSITIVE_INFINITY;
  const look = expiry > now ? expiry : now + LOOK_AGAIN;
  const wait = Math.max(0, Math.min(asked, look) - now);
  return { wait: Math.min(wait, LONGEST_TIMER_MS), timesOut: asked < look && wait <= LONGEST_TIMER_MS };
}
