/** Follows a run that was started elsewhere: by its stream on the embedded engine, by polling on a server. */

import { expectRun } from './assert-response.ts';
import { follow } from './follow.ts';
import { poll, readMessages, settle } from './poll.ts';
import { hasSettled } from './run-view.ts';
import type { RunSession } from './session.ts';

/**
 * Goes on until the run has ended or needs tool outputs. The API has no stream for a run that is going on; the
 * embedded engine has one, which begins with the run's last turn.
 */
export async function rejoin(session: RunSession): Promise<void> {
  const { method, params, connection, options, t } = session;
  if (!connection.embedded || !method.rejoin) return poll(session);
  const run = expectRun(await method.send(connection.client, params, options), t);
  if (hasSettled(run)) return settle(session, run);
  const { rejoin: join } = method;
  const { startingAfter } = session;
  const query = startingAfter === undefined ? {} : { starting_after: startingAfter };
  session.continueWith(
    { ...method, stream: (...[client, ids, more]) => join(client, ids, { ...more, query }) },
    params,
  );
  await follow(session);
  // What the run had said before its last turn is not in the stream.
  await readMessages(session, run.thread_id, run.id, false);
}
