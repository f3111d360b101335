/** Follows a run by asking for it again and again: for getRun, and where a stream can't be had. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Run, RunEvent } from '../methods/method.ts';
import { hasSettled } from '../run-view.ts';
import { expectRun } from './answer.ts';
import type { Call } from './call.ts';

/** Milliseconds: the first pause, the longest, and the bounds of what a server may ask for. */
const FIRST = 500;
const LONGEST = 5_000;
const ASKED = { least: 50, most: 60_000 };

/**
 * Asks until the run has ended or needs tool outputs, then reads its messages.
 * @throws what the SDK throws; its own retries are behind that already
 */
export async function poll(call: Call): Promise<void> {
  const { client } = call.connection;
  const { thread_id = '', run_id = '' } = call.ids;
  let pause = FIRST;
  for (;;) {
    const { data, response } = await client.beta.threads.runs
      .retrieve(run_id, { thread_id }, { signal: call.job.signal })
      .withResponse();
    const run = expectRun(data, call.t, { status: response.status });
    if (hasSettled(run)) return settle(call, run);
    call.seeRun(run);
    await sleep(askedFor(response) ?? pause, undefined, { signal: call.job.signal });
    pause = Math.min(pause * 1.5, LONGEST);
  }
}

/** Takes in a run that has ended or needs tool outputs, after the messages it produced. */
export async function settle(call: Call, run: Run): Promise<void> {
  const { thread_id = run.thread_id } = call.ids;
  await readMessages(call, thread_id, run.id);
  call.seeRun(run);
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
  call: Call,
  thread_id: string,
  run_id: string,
  tell = true,
): Promise<void> {
  try {
    const page = await call.connection.client.beta.threads.messages.list(
      thread_id,
      // Newest first: a server that ignores `run_id` then still sends this run's.
      { run_id, order: 'desc', limit: 100 },
      { signal: call.job.signal },
    );
    const known = new Set(call.view.messages.map(({ id }) => id));
    const messages = (page.data as Message[]).filter((message) => message.run_id === run_id).reverse();
    call.view.addMessages(messages);
    for (const message of messages) {
      if (tell && !known.has(message.id))
        call.seeEvent({ event: 'thread.message.completed', data: message } as RunEvent);
    }
  } catch (error) {
    if (call.job.signal.aborted) throw error;
    call.job.note(`messages of ${run_id} can't be read: ${call.connection.explain(error).message}`);
  }
}
