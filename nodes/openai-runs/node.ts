/** One `openai-runs` node at work: takes messages in, keeps what is in flight, ends it when asked. */

import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import { callAfter } from '../../engine/domain/waits.ts';
import type { ServedCalls, ServiceNode } from '../openai-runs-service/connection.ts';
import { inWords, isRunsError, RunsError } from '../shared/errors.ts';
import type { RunsTranslate } from '../shared/texts.ts';
import { Conversations } from './conversations.ts';
import { hasSettled } from './follow/run-view.ts';
import { Job } from './job.ts';
import type { Method } from './methods/method.ts';
import type { Connect, NodeParts, Work } from './node-parts.ts';
import { Status } from './output/status.ts';
import { Input } from './request/read-request.ts';
import { performRead } from './run/perform-list.ts';
import { performRun, resumeRun } from './run/perform-run.ts';
import { watchRuns } from './run/watch-runs.ts';
import type { Settings } from './settings.ts';
import { Answers } from './tools/answers.ts';
import { ToolRounds } from './tools/rounds.ts';
import { ServedRuns } from './tools/served-runs.ts';
import { StoredToolOutputs } from './tools/stored-outputs.ts';

/** Milliseconds that cancelling a run may hold up the closing of the node. */
const CANCEL_WITHIN = 2_000;

export interface RunsNodeOptions {
  RED: NodeAPI;
  node: Node;
  settings: Settings;
  method: Method;
  service: ServiceNode;
  t: RunsTranslate;
}

/** Whatever was thrown, as a text; even of what has none. */
function faultText(fault: unknown): string {
  try {
    return fault instanceof Error ? fault.message : String(fault);
  } catch {
    return typeof fault;
  }
}

type Send = (msg: NodeMessage | (NodeMessage | null)[]) => void;
type Done = (error?: Error) => void;

export class RunsNode {
  private readonly parts: NodeParts;
  private readonly input: Input;
  private readonly answers: Answers;
  private readonly jobs = new Set<Job>();
  private readonly forget: (() => void) | undefined;

  constructor(options: RunsNodeOptions) {
    const { RED, node, settings, method, service, t } = options;
    this.input = new Input(RED, node, settings, method, t);
    this.parts = {
      ...options,
      status: new Status(node, this.jobs, t, () => service.activity.touch()),
      rounds: new ToolRounds(),
      stored: new StoredToolOutputs(node),
      served: new ServedRuns(),
      conversations: new Conversations(RED, node, settings, options.service),
    };
    this.answers = new Answers(this.parts, resumeRun);
    this.forget = method.answers === 'watch' ? watchRuns(this.parts) : undefined;
  }

  /** Node-RED's input handler. Never throws, never rejects: that would end the whole process. */
  onInput(msg: NodeMessageInFlow, send: Send, onDone: Done): void {
    const done = inWords(onDone);
    try {
      this.route(msg, send, done);
    } catch (fault) {
      // A message whose properties can't even be read: a Proxy, a getter that throws.
      done(
        new RunsError(this.parts.t('error.unexpected', { reason: faultText(fault) }), {
          code: 'bad_message',
        }),
      );
    }
  }

  /** Takes up a run that another program has started and that waits for outputs, unless it is in hand already. */
  serve({ runId, threadId, again }: ServedCalls): void {
    const { node, method, RED, served, stored, rounds } = this.parts;
    if (!served.isDue(runId)) return;
    const msg = { _msgid: RED.util.generateId() } as NodeMessageInFlow;
    const done = inWords((error) => error && node.error(error, msg));
    this.start(
      msg,
      (out) => node.send(out),
      done,
      (job, connect) =>
        served.hold(runId, async () => {
          if (method.answers !== 'run') return;
          const params = { thread_id: threadId, run_id: runId };
          job.request = params;
          const request = { params, delivery: 'wait' } as const;
          const earlier = { outputs: await stored.of(runId), sends: true, again };
          const connection = await connect();
          await performRun({ parts: this.parts, job, connection, method, request }, earlier).finally(() =>
            rounds.dropEarly(runId),
          );
        }),
    );
  }

  private route(msg: NodeMessageInFlow, send: Send, done: Done): void {
    if (Object.hasOwn(msg, 'reset')) {
      this.reset(msg)
        .then(() => done(), done)
        .catch((fault: unknown) => this.parts.node.error(faultText(fault)));
    } else if (this.forget) {
      // It watches by itself; a message has nothing to say to it.
      done();
    } else if (this.answers.isAnswer(msg)) {
      const work = this.answers.take(msg, done);
      if (work) this.start(msg, send, done, work);
    } else {
      this.start(msg, send, done, (job, connect) => this.perform(job, connect));
    }
  }

  /** Ends everything in flight: requests at once, and the runs where that is wanted. */
  async onClose(): Promise<void> {
    this.forget?.();
    this.parts.status.close();
    const stopped = this.stop([...this.jobs], 'closed', this.parts.settings.cancelOnClose);
    this.parts.service.hold(stopped);
    await stopped;
  }

  /** `msg.reset`: one conversation where the message names one, everything otherwise. */
  private async reset(msg: NodeMessageInFlow): Promise<void> {
    const { conversations } = this.parts;
    const key = await conversations.keyOf(msg);
    const jobs = [...this.jobs].filter((job) => key === undefined || job.key === key);
    const stopped = this.stop(jobs, 'reset', true);
    if (key !== undefined) await conversations.forget(key);
    else if (conversations.on) await conversations.forgetAll();
    await stopped;
  }

  private async stop(jobs: Job[], why: 'reset' | 'closed', cancel: boolean): Promise<void> {
    const reason = new RunsError(this.parts.t(`error.${why}`), { code: 'stopped' });
    for (const job of jobs) {
      this.jobs.delete(job);
      this.parts.service.activity.remove(job);
      if (cancel && job.view?.run) this.parts.stored.drop(job.view.run.id);
      try {
        job.stop(reason);
      } catch (fault) {
        this.parts.node.debug(String(fault));
      }
    }
    this.parts.status.rest();
    if (cancel) await Promise.all(jobs.map((job) => this.cancelRun(job)));
  }

  /** Begins a job, and calls its done() exactly once. */
  private start(msg: NodeMessageInFlow, send: Send, done: Done, work: Work): void {
    const { node, service } = this.parts;
    const place = { node: node.id, flow: String(node.z ?? ''), name: node.name || undefined };
    const job = new Job(msg, send, done, (text) => node.debug(text), place);
    this.jobs.add(job);
    if (this.parts.method.answers === 'run') service.activity.add(job);
    this.parts.status.rest();
    this.guard(job, work).then(
      () => this.end(job),
      (error: unknown) => this.end(job, error),
    );
  }

  /** Runs a job's work under its deadline; what it throws is worded by the connection. */
  private async guard(job: Job, work: Work): Promise<void> {
    const clearDeadline = this.startDeadline(job);
    const connect = async () => {
      job.connection = await this.parts.service.connect({ node: this.parts.node, msg: job.msg });
      job.signal.throwIfAborted();
      return job.connection;
    };
    try {
      await work(job, connect);
    } catch (error) {
      if (this.mustCancel(job.signal.aborted ? job.signal.reason : error)) void this.cancelRun(job);
      if (job.signal.aborted || !job.connection) throw error;
      // Our own errors too: what a server said may stand in them, and the key in that.
      throw job.connection.explain(error, job.ids);
    } finally {
      clearDeadline();
    }
  }

  private async perform(job: Job, connect: Connect): Promise<void> {
    const { parts } = this;
    const { method, conversations } = parts;
    job.origin.key =
      method.answers === 'run' && method.onThread ? await conversations.keyOf(job.msg) : undefined;
    const request = await this.input.read(job.msg, job.key === undefined ? [] : ['thread_id']);
    job.request = request.params;
    const connection = await connect();
    if (method.answers === 'run') await performRun({ parts, job, connection, method, request, key: job.key });
    else if (method.answers !== 'watch') await performRead(parts, job, connection, method, request);
  }

  private end(job: Job, error?: unknown): void {
    if (!this.jobs.delete(job)) return;
    const failure = error === undefined ? undefined : this.asFailure(error, job);
    this.parts.service.activity.remove(job, failure?.message);
    const { run } = job.view ?? {};
    const figures = run && { took: Date.now() - job.since, tokens: run.usage?.total_tokens };
    this.parts.status.rest(failure?.message, figures);
    try {
      job.finish(failure);
    } catch (fault) {
      // Node-RED copies the message for Catch and Complete nodes; one that can't be copied must not end the process.
      this.parts.node.error(failure?.message ?? faultText(fault));
    }
  }

  /** What was thrown, as the error that leaves; a stopped job's reason comes before what the SDK made of it. */
  private asFailure(error: unknown, job: Job): RunsError {
    const cause = job.signal.aborted ? job.signal.reason : error;
    if (isRunsError(cause)) return cause.with(job.ids);
    this.parts.node.debug(cause instanceof Error ? String(cause.stack) : faultText(cause));
    return new RunsError(this.parts.t('error.unexpected', { reason: faultText(cause) }), job.ids);
  }

  /** Starts the clock of a message that may take only so long. */
  private startDeadline(job: Job): () => void {
    const seconds = this.parts.settings.deadline;
    if (seconds <= 0) return () => {};
    return callAfter(seconds * 1000, () => {
      job.abort(new RunsError(this.parts.t('error.deadline', { seconds }), { code: 'deadline' }));
      void this.cancelRun(job);
    });
  }

  /** Whether an error leaves a run behind that nobody will go on with. */
  private mustCancel(error: unknown): boolean {
    return (
      isRunsError(error) &&
      ['tool_rounds', 'tools_not_wired', 'tools_off', 'superseded'].includes(error.code ?? '')
    );
  }

  /** Cancels the run of a stopped job, if one is known and has not ended; failing to is no failure of the node. */
  private async cancelRun(job: Job): Promise<void> {
    const run = job.view?.run;
    const { connection } = job;
    if (!run || !connection || (hasSettled(run) && run.status !== 'requires_action')) return;
    try {
      const { runs } = connection.client.beta.threads;
      const options = { maxRetries: 0, timeout: CANCEL_WITHIN };
      await runs.cancel(run.id, { thread_id: run.thread_id }, options);
    } catch (error) {
      const reason = connection.explain(error).message;
      this.parts.node.debug(`run ${run.id} can't be cancelled: ${reason}`);
    }
  }
}
