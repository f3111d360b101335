/** Follows a run by asking for it again and again: for getRun, and where a stream can't be had. */
import { sleep } from '../../../engine/domain/waits.ts';
import { RunsError } from '../../shared/errors.ts';
import type { Message, Run, RunEvent } from '../methods/method.ts';
import { expectRun } from './assert-response.ts';
import { hasSettled } from './run-view.ts';
import type { RunSession } from './session.ts';

/** Milliseconds: the first pause, the longest, and the bounds of what a server may ask for. */
const FIRST = 500;
const LONGEST = 5_000;
const ASKED = { least: 250, most: 60_000 };
/** Milliseconds after its expiry at which a run that goes on all the same is given up: nobody will end it any more. */
const AFTER_EXPIRY = 60_000;

/**
 * Asks until the run has ended or needs tool outputs, then reads its messages.
 * @throws RunsError for a run that goes on long after its expiry; what the SDK throws, its own retries behind it
 */
export async function poll(session: RunSession): Promise<void> {
  let pause = FIRST;
  for (;;) {
    const { run, now, response } = await look(session);
    if (hasSettled(run)) return settle(session, run);
    if (isOverdue(session, run, now))
      throw new RunsError(session.t('error.neverEnds'), { code: 'run_overdue', ...session.ids });
    session.seeRun(run);
    await sleep(askedFor(response) ?? pause, session.job.signal);
    pause = Math.min(pause * 1.5, LONGEST);
  }
}

/** The run as it is, and what time it is there: in milliseconds, by the server's clock where it tells. */
export async function look(session: RunSession): Promise<{ run: Run; now: number; response: Response }> {
  const { thread_id = '', run_id = '' } = session.ids;
  const { data, response } = await session.connection.client.beta.threads.runs
    .retrieve(run_id, { thread_id }, { signal: session.job.signal })
    .withResponse();
  const run = expectRun(data, session.t, { status: response.status });
  return { run, now: Date.parse(response.headers.get('date') ?? '') || Date.now(), response };
}

/** Whether a run should have expired long ago, and has been followed for all the time that it had. */
export function isOverdue(session: RunSession, { created_at, expires_at }: Run, now: number): boolean {
  if (typeof expires_at !== 'number') return false;
  const lifetime = (expires_at - created_at) * 1000;
  // Some servers' times are of another age: those alone end nothing.
  return (
    now > expires_at * 1000 + AFTER_EXPIRY && !(Date.now() - session.job.since <= lifetime + AFTER_EXPIRY)
  );
}

/** Takes in a run that has ended or needs tool outputs, after the messages it produced. */
export async function settle(session: RunSession, run: Run): Promise<void> {
  const { thread_id = run.thread_id } = session.ids;
  await readMessages(session, thread_id, run.id);
  session.seeRun(run);
}

/** The pause that the server asks for, in milliseconds. */
function askedFor(response: Response): number | undefined {
  const header = response.headers.get('openai-poll-after-ms');
  const asked = header ? Number(header) : Number.NaN;
  return Number.isFinite(asked) ? Math.min(Math.max(asked, ASKED.least), ASKED.most) : undefined;
}

/**
 * Reads what the run said. A server without a message list leaves the result without messages.
 * @param tell whether messages that are news are told as events
 */
export async function readMessages(
  session: RunSession,
  thread_id: string,
  run_id: string,
  tell = true,
): Promise<void> {
  try {
    const page = await session.connection.client.beta.threads.messages.list(
      thread_id,
      // Newest first: a server that ignores `run_id` then still sends this run's.
      { run_id, order: 'desc', limit: 100 },
      { signal: session.job.signal },
    );
    // Some servers give the run's id to what was said to it, too.
    const isOfRun = (message: Message) => message.run_id === run_id && message.role !== 'user';
    const known = new Set(session.view.messages.map(({ id }) => id));
    const messages = (page.data as Message[]).filter(isOfRun).reverse();
    session.view.addMessages(messages);
    for (const message of messages) {
      if (tell && !known.has(message.id))
        session.seeEvent({ event: 'thread.message.completed', data: message } as RunEvent);
    }
  } catch (error) {
    if (session.job.signal.aborted) throw error;
    session.job.note(`messages of ${run_id} can't be read: ${session.connection.explain(error).message}`);
  }
}
