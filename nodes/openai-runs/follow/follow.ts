/** Follows a run by its event stream, and by polling where the stream fails; never starts a second run. */
import { setImmediate as breathe } from 'node:timers/promises';
import { RunsError } from '../../shared/errors.ts';
import type { Run, RunEvent } from '../methods/method.ts';
import { answeredRun } from './answered-run.ts';
import { poll, settle } from './poll.ts';
import { retryRateLimited } from './retry.ts';
import { hasSettled } from './run-view.ts';
import type { RunSession } from './session.ts';
import { StreamWatch } from './stream-watch.ts';

/** After so many events that came in one go, the rest of Node-RED gets its turn. */
const BREATH = 200;

type Events = AsyncIterable<RunEvent>;

/**
 * Sends the request as a stream and reads it until the run has ended or needs tool outputs.
 * @throws RunsError when the connection breaks before the server named the run; what the SDK throws otherwise
 */
export async function follow(session: RunSession): Promise<void> {
  const watch = new StreamWatch(session);
  try {
    const opened = await open(session, watch.signal);
    if ('events' in opened) await read(session, opened.events, watch);
    else if (hasSettled(opened.run)) return await settle(session, opened.run);
    else session.seeRun(opened.run);
  } finally {
    watch.end();
  }
  session.job.signal.throwIfAborted();
  if (session.settled) return;
  if (!session.ids.run_id)
    throw new RunsError(session.t('error.brokeBeforeRun'), { code: 'stream_broken', ...session.ids });
  await poll(session);
}

/** Asks for a stream; a server that can't answers with the run itself, or refuses the field `stream`. */
async function open(session: RunSession, signal: AbortSignal): Promise<{ run: Run } | { events: Events }> {
  const { method, params, connection } = session;
  const options = { ...session.options, signal };
  try {
    const { data, response } = await retryRateLimited(session, () =>
      method.stream!(connection.client, params, options).withResponse(),
    );
    const type = response.headers.get('content-type') ?? '';
    if (!/json|html/.test(type)) return { events: data };
    const answer: unknown = type.includes('json') ? await response.json() : await response.text();
    return { run: await answeredRun(session, answer, { status: response.status }) };
  } catch (error) {
    const { status, param } = error as { status?: number; param?: string };
    if (status !== 400 || param !== 'stream') throw error;
    // Refused before anything was made, so asking once more makes no second run.
    const send = () => method.send(connection.client, params, options);
    return { run: await answeredRun(session, await retryRateLimited(session, send)) };
  }
}

/** Reads to the end of the stream. A broken connection is no failure yet; an `error` event is. */
async function read(session: RunSession, events: Events, watch: StreamWatch): Promise<void> {
  let count = 0;
  try {
    for await (const event of events) {
      watch.heard();
      session.seeEvent(event);
      count += 1;
      if (count % BREATH === 0) await breathe();
    }
  } catch (error) {
    if (session.job.signal.aborted || isErrorEvent(error)) throw error;
    if (watch.signal.aborted) return;
    const { message } = session.connection.explain(error);
    session.job.note(`the event stream broke off after ${count} events: ${message}`);
  }
}

/** What the SDK makes of `event: error`: an API error that has a body but no HTTP status. */
function isErrorEvent(error: unknown): boolean {
  const { error: body, status } = error as { error?: unknown; status?: number };
  return body !== undefined && status === undefined;
}
