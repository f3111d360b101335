/** A run, from the request to the outgoing message. */
import type { Connection } from '../../openai-runs-service/connection.ts';
import { sendUntilAdmitted } from '../delivery/again.ts';
import { expectRun } from '../delivery/answer.ts';
import { clearThread } from '../delivery/busy.ts';
import { Call } from '../delivery/call.ts';
import { follow } from '../delivery/follow.ts';
import { rejoin } from '../delivery/rejoin.ts';
import { type Desk, Slot, setState } from '../desk.ts';
import { RunsError } from '../errors.ts';
import { Events } from '../events.ts';
import type { Request } from '../input.ts';
import type { Job } from '../job.ts';
import type { Run, RunMethod } from '../methods/method.ts';
import { place } from '../outputs.ts';
import { failureOf, putRun } from '../result.ts';
import { runTools } from '../tools/loop.ts';

export interface RunTask {
  desk: Desk;
  job: Job;
  connection: Connection;
  method: RunMethod;
  request: Request;
  /** The conversation the message belongs to. */
  key?: string;
}

/** Carries one message's run out and sends its result. */
export async function performRun(task: RunTask): Promise<void> {
  const { desk, job, request } = task;
  const events = new Events(job, desk.settings);
  const call = callFor(task, events);
  const slot = new Slot(desk, job);
  let free: (() => void) | undefined;
  try {
    await chooseThread(task, call);
    free = await takeThread(task, call);
    await slot.take();
    setState(desk, job, 'requesting');
    await sendUntilTaken(task, call);
    if (request.delivery !== 'start') await answerTools(desk, call, slot);
  } finally {
    events.end();
    call.end();
    slot.give();
    free?.();
  }
  finish(desk, call, request.delivery !== 'start');
}

/** Takes up a run whose tool calls an earlier process sent out, with the answers that are known. */
export async function resumeRun(
  task: RunTask,
  run: Run,
  earlier: ReadonlyMap<string, string>,
): Promise<void> {
  const { desk, job } = task;
  const events = new Events(job, desk.settings);
  const call = callFor(task, events);
  const slot = new Slot(desk, job);
  try {
    call.view.run = run;
    await slot.take();
    await answerTools(desk, call, slot, earlier);
  } finally {
    events.end();
    call.end();
    slot.give();
  }
  finish(desk, call, true);
}

function callFor({ desk, job, connection, method, request }: RunTask, events: Events): Call {
  return new Call({
    connection,
    method,
    params: request.params,
    job,
    onEvent: request.delivery === 'stream' ? (event) => events.add(event) : () => {},
    onState: () => desk.status.update(),
    t: desk.t,
  });
}

/** A conversation's thread, where the request names none. */
async function chooseThread({ desk, key, method, connection }: RunTask, call: Call): Promise<void> {
  if (!method.onThread || call.params.thread_id || key === undefined) return;
  const make = async () => (await connection.client.beta.threads.create({})).id;
  call.params.thread_id = await desk.conversations.threadOf(key, make);
}

/** Waits for the thread, or makes room on it, as the node's `busy` says. */
async function takeThread({ desk, job, method }: RunTask, call: Call): Promise<(() => void) | undefined> {
  if (!method.onThread) return undefined;
  const { service, settings, t } = desk;
  const { threads } = service;
  const thread_id: string = call.params.thread_id;
  const ahead = threads.length(thread_id);
  if (ahead > 0 && settings.busy === 'error') {
    throw new RunsError(t('error.threadBusy', { thread: thread_id }), { code: 'thread_busy', thread_id });
  }
  if (ahead > threads.most) {
    throw new RunsError(t('error.queueFull', { thread: thread_id, limit: threads.most }), {
      code: 'queue_full',
      thread_id,
    });
  }
  if (settings.busy === 'cancel') threads.supersede(thread_id);
  return threads.enter(thread_id, {
    signal: job.signal,
    onWait: (count) => call.waitFor(count),
    supersede: () => job.abort(new RunsError(t('error.superseded'), { code: 'superseded', thread_id })),
  });
}

/** Sends the request; once more where it was refused for a reason that is out of the way now. */
async function sendUntilTaken(task: RunTask, call: Call): Promise<void> {
  let renewed = false;
  for (;;) {
    try {
      return await send(task, call);
    } catch (error) {
      if (call.job.signal.aborted || !task.method.onThread) throw error;
      if (!renewed && (await renewThread(task, call, error))) renewed = true;
      else if (!(await clearThread(call, error, task.desk.settings.busy))) throw error;
    }
  }
}

async function send({ method, request, connection }: RunTask, call: Call): Promise<void> {
  if (request.delivery === 'start')
    call.view.run = expectRun(
      await sendUntilAdmitted(call, () => method.send(connection.client, call.params, call.options)),
      call.t,
    );
  else if (method.stream) await follow(call);
  else await rejoin(call);
}

/** A conversation's thread that the server no longer knows is made anew. */
async function renewThread(task: RunTask, call: Call, error: unknown): Promise<boolean> {
  const { desk, key } = task;
  const { status, message = '' } = error as { status?: number; message?: string };
  const gone: string = call.params.thread_id;
  if (key === undefined || status !== 404 || !message.includes(gone)) return false;
  await desk.conversations.forget(key, gone);
  delete call.params.thread_id;
  await chooseThread(task, call);
  return true;
}

async function answerTools(
  desk: Desk,
  call: Call,
  slot: Slot,
  earlier?: ReadonlyMap<string, string>,
): Promise<void> {
  const { RED, node, settings, rounds, stash } = desk;
  if (!settings.tools) return;
  const whileWaiting = async <T>(wait: () => Promise<T>): Promise<T> => {
    slot.give();
    const outputs = await wait();
    await slot.take();
    return outputs;
  };
  try {
    await runTools({ RED, node, settings, rounds, stash, call, earlier, whileWaiting });
  } finally {
    // Only a run that outlives the node is taken up again.
    if (call.view.run && call.job.signal.reason?.code !== 'stopped') stash.drop(call.view.run.id);
  }
}

function finish({ settings, t }: Desk, call: Call, followed: boolean): void {
  const failure = followed && settings.failures === 'catch' ? failureOf(call, t) : undefined;
  if (failure) throw failure;
  const msg = putRun(call.job.msg, call.view, settings, t, followed);
  call.job.send(place('result', msg, settings));
}
