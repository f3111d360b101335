/** Follows a run by its event stream, and by polling where the stream fails; never starts a second run. */
import { setImmediate as breathe } from 'node:timers/promises';
import { RunsError } from '../errors.ts';
import type { Run, RunEvent } from '../methods/method.ts';
import { hasSettled } from '../run-view.ts';
import { sendUntilAdmitted } from './again.ts';
import { expectRun } from './answer.ts';
import type { Call } from './call.ts';
import { poll, settle } from './poll.ts';
import { StreamWatch } from './stream-watch.ts';

/** After so many events that came in one go, the rest of Node-RED gets its turn. */
const BREATH = 200;

type Events = AsyncIterable<RunEvent>;

/**
 * Sends the request as a stream and reads it until the run has ended or needs tool outputs.
 * @throws RunsError when the connection breaks before the server named the run; what the SDK throws otherwise
 */
export async function follow(call: Call): Promise<void> {
  const watch = new StreamWatch(call);
  try {
    const opened = await open(call, watch.signal);
    if ('events' in opened) await read(call, opened.events, watch);
    else if (hasSettled(opened.run)) return await settle(call, opened.run);
    else call.seeRun(opened.run);
  } finally {
    watch.end();
  }
  call.job.signal.throwIfAborted();
  if (call.settled) return;
  if (!call.ids.run_id)
    throw new RunsError(call.t('error.brokeBeforeRun'), { code: 'stream_broken', ...call.ids });
  await poll(call);
}

/** Asks for a stream; a server that can't answers with the run itself, or refuses the field `stream`. */
async function open(call: Call, signal: AbortSignal): Promise<{ run: Run } | { events: Events }> {
  const { method, params, connection, t } = call;
  const options = { ...call.options, signal };
  try {
    const { data, response } = await sendUntilAdmitted(call, () =>
      method.stream!(connection.client, params, options).withResponse(),
    );
    const type = response.headers.get('content-type') ?? '';
    if (!/json|html/.test(type)) return { events: data };
    const answer: unknown = type.includes('json') ? await response.json() : await response.text();
    return { run: expectRun(answer, t, { status: response.status }) };
  } catch (error) {
    const { status, param } = error as { status?: number; param?: string };
    if (status !== 400 || param !== 'stream') throw error;
    // Refused before anything was made, so asking once more makes no second run.
    const send = () => method.send(connection.client, params, options);
    return { run: expectRun(await sendUntilAdmitted(call, send), t) };
  }
}

/** Reads to the end of the stream. A broken connection is no failure yet; an `error` event is. */
async function read(call: Call, events: Events, watch: StreamWatch): Promise<void> {
  let count = 0;
  try {
    for await (const event of events) {
      watch.heard();
      call.seeEvent(event);
      count += 1;
      if (count % BREATH === 0) await breathe();
    }
  } catch (error) {
    if (call.job.signal.aborted || isErrorEvent(error)) throw error;
    if (watch.signal.aborted) return;
    const { message } = call.connection.explain(error);
    call.job.note(`the event stream broke off after ${count} events: ${message}`);
  }
}

/** What the SDK makes of `event: error`: an API error that has a body but no HTTP status. */
function isErrorEvent(error: unknown): boolean {
  const { error: body, status } = error as { error?: unknown; status?: number };
  return body !== undefined && status === undefined;
}
