/** From a run, list or step to the outgoing message. */

import type { NodeMessage } from 'node-red';
import { RunsError } from '../../shared/errors.ts';
import type { Below, RunsText, RunsTranslate } from '../../shared/texts.ts';
import type { RunView } from '../follow/run-view.ts';
import type { RunSession } from '../follow/session.ts';
import type { Run } from '../methods/method.ts';
import type { Settings } from '../settings.ts';

/** Ends that are no success, and the sentence each gets. */
const FAILED: Partial<Record<Run['status'], Below<RunsText, 'error'>>> = {
  failed: 'runFailed',
  expired: 'runExpired',
  cancelled: 'runCancelled',
  incomplete: 'runIncomplete',
};

/**
 * The error of a run that ended without success.
 * @returns undefined for every other run
 */
export function failureOf({ view, connection }: RunSession, t: RunsTranslate): RunsError | undefined {
  const run = view.run;
  const key = run && FAILED[run.status];
  if (!key) return undefined;
  const reason = run.incomplete_details?.reason;
  const known = connection.notices?.failureOf(run.id);
  const code = known?.reason ?? run.last_error?.code ?? reason ?? `run_${run.status}`;
  const message = known?.sentence ?? saidOf(run);
  return new RunsError(t(`error.${key}`, { run: run.id, message, code, reason }), {
    code,
    ...view.ids,
    run,
    reply: view.reply,
  });
}

/** What the server says of a failed run; some say it as a text of its own. */
function saidOf({ last_error }: Run): string {
  const error: unknown = last_error;
  return typeof error === 'string' ? error : (last_error?.message ?? '');
}

/**
 * Puts a followed run on the message: `payload` as the node's `result` says, `run` always, `reply` and
 * `messages` when the run produced any.
 * @param followed whether the run was followed to its end; else only the run object is known
 * @throws RunsError when the reply should be JSON and is not; it carries the text
 */
export function putRun(
  msg: NodeMessage,
  view: RunView,
  settings: Settings,
  t: RunsTranslate,
  followed: boolean,
): NodeMessage {
  const run = view.run as Run;
  const finished = followed && run.status !== 'requires_action';
  const payload = finished ? payloadOf(view, run, settings, t) : run;
  const out: Record<string, unknown> = Object.assign(msg, { payload, run });
  // What an earlier node of this kind left must not pass for this run's.
  delete out.reply;
  delete out.messages;
  if (view.messages.length > 0) Object.assign(out, { reply: view.reply, messages: view.messages });
  return msg;
}

function payloadOf(view: RunView, run: Run, { result }: Settings, t: RunsTranslate): unknown {
  if (result === 'run') return run;
  const text = view.reply ?? '';
  if (result === 'text') return text;
  try {
    return JSON.parse(text);
  } catch {
    // A run that ended early has said so already; half a JSON text is what it has.
    if (run.status !== 'completed') return text;
    const details = { code: 'reply_not_json', ...view.ids, run, reply: text };
    throw new RunsError(t('error.replyNotJson', { text: text.slice(0, 200) }), details);
  }
}
