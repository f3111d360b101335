/** The answer to a request that sets a run going. */
import type { Started } from '../../runs/create.ts';
import { rejoin } from '../../runs/rejoin.ts';
import type { Service } from '../../service.ts';
import type { RunRecord } from '../../store/records.ts';
import { type RouteContext, runResponse } from './http.ts';
import { eventStream } from './sse.ts';

/**
 * The run as it is, or its events.
 * @param started without a log: an earlier request of the same key has made it, and its reader comes back
 */
export function startedResponse(
  service: Service,
  c: RouteContext,
  { run, log }: Started | { run: RunRecord; log: undefined },
  isStream: boolean | null | undefined,
): Response {
  if (!isStream) return runResponse(c, run);
  if (log) return eventStream(log(), c.env.signal);
  const again = rejoin(service, run, undefined, c.env.signal);
  return eventStream(again.log, c.env.signal, { from: again.from });
}
