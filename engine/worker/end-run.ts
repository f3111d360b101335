/** How a run ends: its row, its open step and message, and the events that tell of it, in one go. */
import { CLOSINGS, type EndName } from '../domain/run-states.ts';
import type { LastError } from '../domain/types.ts';
import type { Usage } from '../domain/usage.ts';
import { messageObject, runObject, stepObject } from '../objects/objects.ts';
import type { MessageRecord, RunRecord, StepRecord } from '../store/records.ts';
import { type Fence, type RunPatch, runById, transition } from '../store/runs.ts';
import { type Open, openParts, saveParts } from '../store/steps.ts';
import { atomically, type Db } from '../store/store.ts';
import type { LoggedEvent } from './event-log.ts';
import type { Tell } from './outbox.ts';

export interface Ending extends Fence {
  name: 'complete' | EndName;
  /** Seconds since 1970. */
  now: number;
  lastError?: LastError | undefined;
  /** Of the turn that ends, for the open step. */
  usage?: Usage | undefined;
  /** Why the open message of an incomplete run stopped. */
  cutBy?: 'max_tokens' | 'content_filter' | undefined;
  patch?: RunPatch;
}

const COMPLETED = { step: 'completed', message: 'completed' } as const;

/** The open message and step as the ending leaves them. */
export function closeParts(open: Open, { name, now, lastError, usage, cutBy }: Ending): Open {
  const closing = name === 'complete' ? COMPLETED : CLOSINGS[name];
  const message: MessageRecord | undefined = open.message && {
    ...open.message,
    ...(closing.message === 'completed'
      ? { status: 'completed', completed_at: now }
      : { status: 'incomplete', incomplete_at: now, incomplete_reason: cutBy ?? closing.message }),
  };
  const step: StepRecord | undefined = open.step && {
    ...open.step,
    status: closing.step,
    [`${closing.step}_at`]: now,
    usage: usage ?? open.step.usage,
    // A step knows only two codes (spec), a run three.
    last_error: lastError
      ? { ...lastError, code: lastError.code === 'invalid_prompt' ? 'server_error' : lastError.code }
      : null,
  };
  return { message, step };
}

/** Events of parts that were just closed; the message before the step that made it. */
export function closingEvents({ message, step }: Open, run: RunRecord): LoggedEvent[] {
  const events: LoggedEvent[] = [];
  if (message) events.push({ event: `thread.message.${message.status}`, data: messageObject(message) });
  if (step) {
    const data = stepObject(step, { fileSearchContent: run.options.includeSearchContent });
    events.push({ event: `thread.run.step.${step.status}`, data });
  }
  return events;
}

export const runEvent = (run: RunRecord): LoggedEvent => ({
  event: `thread.run.${run.status}`,
  data: runObject(run),
});

/** The stream's own error: what became of the run cannot be told by a run event. */
export const errorEvent = (message: string, type = 'server_error'): LoggedEvent => ({
  event: 'error',
  data: { code: null, message, param: null, type },
});

/** For a run that was deleted while somebody followed it. */
export const goneEvent = (runId: string): LoggedEvent =>
  errorEvent(`No run found with id '${runId}'.`, 'invalid_request_error');

/**
 * Ends a run in the database, compare-and-set, all or nothing.
 * @param open what the run has open as this process knows it; read from the database when not given.
 * @param tell lets readers on other machines know
 * @returns the events to append, or undefined when the run no longer was where this ending starts.
 */
export function endRun(
  db: Db,
  runId: string,
  ending: Ending,
  open?: Open,
  tell?: Tell,
): Promise<LoggedEvent[] | undefined> {
  const { name, now, lastError, attempt, supersedes } = ending;
  return atomically(db, async (trx) => {
    const before = name === 'cancelled' ? await runById(trx, runId) : undefined;
    const patch = { ...(lastError && { last_error: lastError }), ...ending.patch };
    const run = await transition(trx, runId, name, now, patch, { attempt, supersedes });
    if (!run) return undefined;
    const parts = closeParts(open ?? (await openParts(trx, runId)), ending);
    await saveParts(trx, parts);
    const events = [...closingEvents(parts, run), ...(before ? [runEvent(before)] : []), runEvent(run)];
    await tell?.(trx, run, events);
    return events;
  });
}
