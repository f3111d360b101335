/** A run, from the request to the outgoing message: thread, place, request, follow, tools, result. */
import { RunsError } from '../../shared/errors.ts';
import { answeredRun } from '../follow/answered-run.ts';
import { follow } from '../follow/follow.ts';
import { rejoin } from '../follow/rejoin.ts';
import { retryRateLimited } from '../follow/retry.ts';
import { RunSession, type SessionOptions } from '../follow/session.ts';
import { waitForActiveRun } from '../follow/wait-for-active-run.ts';
import type { Run } from '../methods/method.ts';
import { Slot, setState } from '../node-parts.ts';
import { toOutput } from '../output/ports.ts';
import { failureOf, putRun } from '../output/result.ts';
import { callsOf } from '../tools/calls.ts';
import type { EarlierRound } from '../tools/collect.ts';
import { runTools } from '../tools/loop.ts';

/**
 * Carries one message's run out and sends its result.
 * @param earlier what is known of the calls that the run may be waiting for
 */
export function performRun(options: SessionOptions, earlier?: EarlierRound): Promise<void> {
  return carryOut(options, async (session, slot, atEnd) => {
    await chooseThread(session);
    atEnd(await takeThread(session));
    await slot.take();
    setState(session.parts, session.job, 'requesting');
    await sendWhenThreadFree(session);
    return earlier;
  });
}

/** Takes up a run whose tool calls an earlier process sent out, with the answers that are known. */
export function resumeRun(options: SessionOptions, run: Run, earlier: EarlierRound): Promise<void> {
  return carryOut(options, async (session, slot) => {
    session.view.run = run;
    session.trace.isLater = true;
    await slot.take();
    return earlier;
  });
}

type Begin = (
  session: RunSession,
  slot: Slot,
  /** Takes what gives the thread back. */
  atEnd: (free: (() => void) | undefined) => void,
) => Promise<EarlierRound | undefined>;

/** What a new run and one that is taken up have in common: all but their first step. */
async function carryOut(options: SessionOptions, begin: Begin): Promise<void> {
  const session = new RunSession(options);
  const slot = new Slot(session.parts, session.job);
  let free: (() => void) | undefined;
  try {
    const earlier = await begin(session, slot, (given) => {
      free = given;
    });
    if (session.isFollowed && !(await answerTools(session, slot, earlier))) return;
  } finally {
    session.end();
    slot.give();
    free?.();
  }
  finish(session);
}

/** A conversation's thread, where the request names none. */
async function chooseThread({ parts, key, method, params, connection }: RunSession): Promise<void> {
  if (!method.onThread || params.thread_id || key === undefined) return;
  // OpenOpenAI makes no thread of a request that says nothing of messages.
  const make = async () => (await connection.client.beta.threads.create({ messages: [] })).id;
  params.thread_id = await parts.conversations.threadOf(key, make);
}

/** Waits for the thread, or makes room on it, as the node's `busy` says. */
async function takeThread(session: RunSession): Promise<(() => void) | undefined> {
  const { parts, job, method, params, connection } = session;
  const { thread_id } = params;
  if (!method.onThread || thread_id === undefined) return undefined;
  const { service, settings, t } = parts;
  const { threads } = service;
  const together = connection.together?.hasOthers ? connection.together : undefined;
  const scope = `thread.${encodeURIComponent(thread_id)}`;
  const elsewhere = together && settings.busy === 'error' ? await together.line.length(scope) : 0;
  const ahead = threads.length(thread_id) + elsewhere;
  if (ahead > 0 && settings.busy === 'error') {
    throw new RunsError(t('error.threadBusy', { thread: thread_id }), { code: 'thread_busy', thread_id });
  }
  if (ahead > threads.most) {
    throw new RunsError(t('error.queueFull', { thread: thread_id, limit: threads.most }), {
      code: 'queue_full',
      thread_id,
    });
  }
  if (settings.busy === 'cancel') {
    threads.supersede(thread_id);
    await together?.supersede(thread_id);
  }
  const onWait = (count: number) => session.waitFor(count);
  const leave = await threads.enter(thread_id, {
    signal: job.signal,
    onWait,
    supersede: () => job.abort(new RunsError(t('error.superseded'), { code: 'superseded', thread_id })),
  });
  if (!together) return leave;
  // The first of this Node-RED stands in line with those of the others.
  try {
    const give = await together.line.enter(scope, 1, { signal: job.signal, onWait });
    return () => {
      give();
      leave();
    };
  } catch (error) {
    leave();
    throw error;
  }
}

/** Sends the request; once more where it was refused for a reason that is out of the way now. */
async function sendWhenThreadFree(session: RunSession): Promise<void> {
  let renewed = false;
  for (;;) {
    try {
      return await send(session);
    } catch (error) {
      if (session.job.signal.aborted || !session.method.onThread) throw error;
      if (!renewed && (await renewThread(session, error))) renewed = true;
      else if (!(await waitForActiveRun(session, error, session.parts.settings.busy))) throw error;
    }
  }
}

async function send(session: RunSession): Promise<void> {
  const { method, connection } = session;
  if (!session.isFollowed) {
    const request = () => method.send(connection.client, session.params, session.options);
    session.view.run = await answeredRun(session, await retryRateLimited(session, request));
    session.trace.run(session.view.run);
  } else if (method.stream) await follow(session);
  else await rejoin(session);
}

/** A conversation's thread that the server no longer knows is made anew. */
async function renewThread(session: RunSession, error: unknown): Promise<boolean> {
  const { parts, key, params } = session;
  const { status, message = '' } = error as { status?: number; message?: string };
  const { thread_id: gone } = params;
  if (key === undefined || gone === undefined || status !== 404 || !message.includes(gone)) return false;
  await parts.conversations.forget(key, gone);
  delete params.thread_id;
  await chooseThread(session);
  return true;
}

/** See runTools. While it waits for them it holds no place of the service. */
async function answerTools(session: RunSession, slot: Slot, earlier?: EarlierRound): Promise<boolean> {
  const { settings, stored } = session.parts;
  if (!settings.tools) return true;
  const whileWaiting = async <T>(wait: () => Promise<T>): Promise<T> => {
    slot.give();
    const outputs = await wait();
    await slot.take();
    return outputs;
  };
  try {
    return await runTools({ session, earlier, whileWaiting });
  } finally {
    // Only a run that outlives the node is taken up again.
    if (session.view.run && session.job.signal.reason?.code !== 'stopped') stored.drop(session.view.run.id);
  }
}

/**
 * Where a reply is wanted and nothing can answer tools, a run that asks for one would wait until it expires, and keep
 * its thread from everybody.
 * @throws RunsError that says what to tick
 */
function mustNotWaitForTools({ view, t, parts }: RunSession): void {
  const { result, tools } = parts.settings;
  if (view.run?.status !== 'requires_action' || tools || result === 'run') return;
  const [call] = callsOf(view.run, t);
  throw new RunsError(t('error.toolsOff', { tool: call?.name ?? '' }), {
    code: 'tools_off',
    ...view.ids,
    run: view.run,
  });
}

function finish(session: RunSession): void {
  const { isFollowed, job, view, t } = session;
  const { settings } = session.parts;
  const failure = isFollowed && settings.failures === 'catch' ? failureOf(session, t) : undefined;
  if (failure) throw failure;
  if (session.onlyEvents) return;
  if (isFollowed) mustNotWaitForTools(session);
  job.send(toOutput('result', putRun(job.msg, view, settings, t, isFollowed), settings));
}
