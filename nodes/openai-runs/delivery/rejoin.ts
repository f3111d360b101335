/** Follows a run that was started elsewhere: by its stream on the embedded engine, by polling on a server. */
import { hasSettled } from '../run-view.ts';
import { expectRun } from './answer.ts';
import type { Call } from './call.ts';
import { follow } from './follow.ts';
import { poll, readMessages, settle } from './poll.ts';

/**
 * Goes on until the run has ended or needs tool outputs. The API has no stream for a run that is going on; the
 * embedded engine has one, which begins with the run's last turn.
 */
export async function rejoin(call: Call): Promise<void> {
  const { method, params, connection, options, t } = call;
  if (!connection.embedded || !method.rejoin) return poll(call);
  const run = expectRun(await method.send(connection.client, params, options), t);
  if (hasSettled(run)) return settle(call, run);
  call.continueWith({ ...method, stream: method.rejoin }, params);
  await follow(call);
  // What the run had said before its last turn is not in the stream.
  await readMessages(call, run.thread_id, run.id, false);
}
