/** Follows a run by its event stream, and by polling where the stream fails; never starts a second run. */
import { setImmediate as breathe } from 'node:timers/promises';
import { RunsError } from '../errors.ts';
import type { Run, RunEvent } from '../methods/method.ts';
import type { Call } from './call.ts';
import { poll } from './poll.ts';

/** After so many events that came in one go, the rest of Node-RED gets its turn. */
const BREATH = 200;

type Events = AsyncIterable<RunEvent>;

/**
 * Sends the request as a stream and reads it until the run has ended or needs tool outputs.
 * @throws RunsError when the connection breaks before the server named the run; what the SDK throws otherwise
 */
export async function follow(call: Call): Promise<void> {
  const opened = await open(call);
  if ('run' in opened) call.seeRun(opened.run);
  else await read(call, opened.events);
  call.job.signal.throwIfAborted();
  if (call.settled) return;
  if (!call.ids.run_id)
    throw new RunsError(call.t('error.brokeBeforeRun'), { code: 'stream_broken', ...call.ids });
  await poll(call);
}

/** Asks for a stream; a server that can't answers with the run itself, or refuses the field `stream`. */
async function open(call: Call): Promise<{ run: Run } | { events: Events }> {
  const { method, params, connection, options } = call;
  try {
    const { data, response } = await method.stream!(connection.client, params, options).withResponse();
    if (!response.headers.get('content-type')?.includes('json')) return { events: data };
    const run = (await response.json()) as Run;
    if (run?.id) return { run };
    throw new RunsError(call.t('error.noRun'), { code: 'unexpected_answer', status: response.status });
  } catch (error) {
    const { status, param } = error as { status?: number; param?: string };
    // Refused before anything was made, so asking once more makes no second run.
    if (status === 400 && param === 'stream')
      return { run: await method.send(connection.client, params, options) };
    throw error;
  }
}

/** Reads to the end of the stream. A broken connection is no failure yet; an `error` event is. */
async function read(call: Call, events: Events): Promise<void> {
  let count = 0;
  try {
    for await (const event of events) {
      call.seeEvent(event);
      count += 1;
      if (count % BREATH === 0) await breathe();
    }
  } catch (error) {
    if (call.job.signal.aborted || isErrorEvent(error)) throw error;
    call.job.note(`the event stream broke off after ${count} events: ${error}`);
  }
}

/** What the SDK makes of `event: error`: an API error that has a body but no HTTP status. */
function isErrorEvent(error: unknown): boolean {
  const { error: body, status } = error as { error?: unknown; status?: number };
  return body !== undefined && status === undefined;
}
