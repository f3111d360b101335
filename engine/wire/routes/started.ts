/** The answer to a request that sets a run going, or joins it. */
import { logFor } from '../../runs/across-calls.ts';
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
  if (!log) return rejoinedResponse(service, c, run, undefined);
  return eventStream(logFor(c.env.caller, service, run, log()), c.env.signal);
}

/** The events of a run that goes on. @param after number of the last event that the reader has */
export function rejoinedResponse(
  service: Service,
  c: RouteContext,
  run: RunRecord,
  after: number | undefined,
): Response {
  const { log, from } = rejoin(service, run, after, c.env.signal);
  const seen = logFor(c.env.caller, service, run, log);
  // Where calls are answered for the caller, all attempts are one log of its own.
  return eventStream(seen, c.env.signal, { from: seen === log ? from : 0 });
}
