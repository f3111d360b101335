/** The run that a request was answered with, or that its answer names. */
import { isObject } from '../../../engine/domain/is-object.ts';
import type { ErrorDetails } from '../../shared/errors.ts';
import type { Run } from '../methods/method.ts';
import { expectRun } from './assert-response.ts';
import { look } from './poll.ts';
import type { RunSession } from './session.ts';

/**
 * Takes the run from an answer. Some servers answer submitted outputs with the ids of the run alone; it is then asked
 * for, as what was submitted counts.
 * @throws RunsError for an answer that neither is a run nor names the one of the request
 */
export async function answeredRun(session: RunSession, answer: unknown, known?: ErrorDetails): Promise<Run> {
  const { run_id } = session.params;
  const onlyIds = isObject(answer) && !('id' in answer) && run_id !== undefined && answer.run_id === run_id;
  if (onlyIds && !('status' in answer)) return (await look(session)).run;
  return expectRun(answer, session.t, known);
}
