/** One `openai-runs` node at work: takes messages in, keeps what is in flight, ends it when asked. */
import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import type { Connection, ServiceNode, Translate } from '../openai-runs-service/connection.ts';
import { Call } from './delivery/call.ts';
import { Coalescer, textDelta } from './delivery/coalesce.ts';
import { follow } from './delivery/follow.ts';
import { asPage, readAll } from './delivery/list.ts';
import { poll } from './delivery/poll.ts';
import { isRunsError, RunsError } from './errors.ts';
import { Input, type Request } from './input.ts';
import { Job, type JobState } from './job.ts';
import type { ListMethod, Method, RunEvent, RunMethod } from './methods/method.ts';
import { place } from './outputs.ts';
import { failureOf, putRun } from './result.ts';
import { hasSettled } from './run-view.ts';
import type { Settings } from './settings.ts';
import { Status } from './status.ts';

/** Milliseconds that cancelling a run may hold up the closing of the node. */
const CANCEL_WITHIN = 2_000;

export interface RunsNodeOptions {
  RED: NodeAPI;
  node: Node;
  settings: Settings;
  method: Method;
  service: ServiceNode;
  t: Translate;
}

export class RunsNode {
  private readonly RED: NodeAPI;
  private readonly node: Node;
  private readonly settings: Settings;
  private readonly method: Method;
  private readonly service: ServiceNode;
  private readonly t: Translate;
  private readonly input: Input;
  private readonly status: Status;
  private readonly jobs = new Set<Job>();

  constructor({ RED, node, settings, method, service, t }: RunsNodeOptions) {
    this.RED = RED;
    this.node = node;
    this.settings = settings;
    this.method = method;
    this.service = service;
    this.t = t;
    this.input = new Input(RED, node, settings, method, t);
    this.status = new Status(node, this.jobs, t);
  }

  /** Node-RED's input handler. Never throws, never rejects: that would end the whole process. */
  onInput(
    msg: NodeMessageInFlow,
    send: (msg: NodeMessage | (NodeMessage | null)[]) => void,
    done: (error?: Error) => void,
  ): void {
    if (Object.hasOwn(msg, 'reset')) {
      void this.stopAll('reset', true).finally(() => done());
      return;
    }
    const job = new Job(msg, send, done, (text) => this.node.debug(text));
    this.jobs.add(job);
    this.status.rest();
    void this.perform(job).then(
      () => this.end(job),
      (error: unknown) => this.end(job, error),
    );
  }

  /** Ends everything in flight: requests at once, and the runs where that is wanted. */
  async onClose(): Promise<void> {
    this.status.close();
    await this.stopAll('closed', this.settings.cancelOnClose);
  }

  private async stopAll(why: 'reset' | 'closed', cancel: boolean): Promise<void> {
    const jobs = [...this.jobs];
    this.jobs.clear();
    this.status.rest();
    for (const job of jobs) job.stop(new RunsError(this.t(`error.${why}`), { code: 'stopped' }));
    if (cancel) await Promise.all(jobs.map((job) => this.cancelRun(job)));
  }

  private end(job: Job, error?: unknown): void {
    const open = this.jobs.delete(job);
    if (!open) return;
    const failure = error === undefined ? undefined : this.asFailure(error, job);
    this.status.rest(failure?.message);
    job.finish(failure);
  }

  /** What was thrown, as the error that leaves; a stopped job's reason comes before what the SDK made of it. */
  private asFailure(error: unknown, job: Job): RunsError {
    const cause = job.signal.aborted ? job.signal.reason : error;
    const known = job.view?.ids ?? {};
    if (isRunsError(cause)) return cause.with(known);
    this.node.debug(String((cause as Error)?.stack ?? cause));
    return new RunsError(this.t('error.unexpected', { reason: String(cause) }), known);
  }

  private async perform(job: Job): Promise<void> {
    const request = await this.input.read(job.msg);
    const clearDeadline = this.startDeadline(job);
    let leave: (() => void) | undefined;
    let connection: Connection | undefined;
    try {
      leave = await this.service.enter(job.signal, () => this.setState(job, 'waiting'));
      this.setState(job, 'requesting');
      connection = await this.service.connect();
      job.signal.throwIfAborted();
      await this.answer(job, request, connection);
    } catch (error) {
      if (job.signal.aborted || isRunsError(error) || !connection) throw error;
      throw connection.explain(error, job.view?.ids);
    } finally {
      clearDeadline();
      leave?.();
    }
  }

  private setState(job: Job, state: JobState): void {
    job.state = state;
    this.status.update();
  }

  private async answer(job: Job, request: Request, connection: Connection): Promise<void> {
    const method = this.method;
    if (method.answers === 'run') return this.answerRun(job, request, connection, method);
    if (method.answers === 'list') return this.answerList(job, request, connection, method);
    const step = await method.send(connection.client, request.params, { signal: job.signal });
    this.result(job, Object.assign(job.msg, { payload: step }));
  }

  private async answerRun(
    job: Job,
    { params, delivery }: Request,
    connection: Connection,
    method: RunMethod,
  ): Promise<void> {
    const events = new Events(job, this.settings);
    const onEvent = delivery === 'stream' ? (event: RunEvent) => events.add(event) : () => {};
    const onState = () => this.status.update();
    const call = new Call({ connection, method, params, job, onEvent, onState, t: this.t });
    try {
      if (delivery === 'start') call.view.run = await method.send(connection.client, params, call.options);
      else if (method.stream) await follow(call);
      else await poll(call);
    } finally {
      events.end();
    }
    const failure =
      delivery !== 'start' && this.settings.failures === 'catch' && failureOf(call.view, this.t);
    if (failure) throw failure;
    this.result(job, putRun(job.msg, call.view, this.settings, this.t, delivery !== 'start'));
  }

  private async answerList(
    job: Job,
    { params }: Request,
    connection: Connection,
    method: ListMethod,
  ): Promise<void> {
    const page = await method.send(connection.client, params, { signal: job.signal });
    if (this.settings.paging === 'page')
      return this.result(job, Object.assign(job.msg, { payload: asPage(page) }));
    const { items, capped } = await readAll(page, this.settings.maxItems);
    if (capped) this.status.note(this.t('status.capped', { count: items.length }));
    if (this.settings.paging === 'all') return this.result(job, Object.assign(job.msg, { payload: items }));
    const id = this.RED.util.generateId();
    items.forEach((item, index) => {
      const parts = { id, type: 'array', count: items.length, len: 1, index };
      this.result(job, { ...job.msg, payload: item, parts } as NodeMessage);
    });
  }

  private result(job: Job, msg: NodeMessage): void {
    job.send(place('result', msg, this.settings));
  }

  /** Starts the clock of a message that may take only so long. */
  private startDeadline(job: Job): () => void {
    const seconds = this.settings.deadline;
    if (seconds <= 0) return () => {};
    const timer = setTimeout(() => {
      job.abort(new RunsError(this.t('error.deadline', { seconds }), { code: 'deadline' }));
      void this.cancelRun(job);
    }, seconds * 1000);
    return () => clearTimeout(timer);
  }

  /** Cancels the run of a stopped job, if one is known and has not ended; failing to is no failure of the node. */
  private async cancelRun(job: Job): Promise<void> {
    const run = job.view?.run;
    if (!run || (hasSettled(run) && run.status !== 'requires_action')) return;
    try {
      const { client } = await this.service.connect();
      const options = { maxRetries: 0, timeout: CANCEL_WITHIN };
      await client.beta.threads.runs.cancel(run.id, { thread_id: run.thread_id }, options);
    } catch (error) {
      this.node.debug(`run ${run.id} can't be cancelled: ${error}`);
    }
  }
}

/** Sends a run's events as messages: a shallow copy each, named and numbered. */
class Events {
  private seq = 0;
  private readonly job: Job;
  private readonly settings: Settings;
  private readonly coalescer: Coalescer;

  constructor(job: Job, settings: Settings) {
    this.job = job;
    this.settings = settings;
    this.coalescer = new Coalescer(settings.coalesce, (event) => this.send(event));
  }

  add(event: RunEvent): void {
    this.coalescer.add(event);
  }

  end(): void {
    if (this.job.signal.aborted) this.coalescer.stop();
    else this.coalescer.flush();
  }

  private send(event: RunEvent): void {
    const delta = textDelta(event);
    const msg: NodeMessage & Record<string, unknown> = {
      ...this.job.msg,
      payload: event.data,
      event: event.event,
      seq: this.seq++,
    };
    if (delta !== undefined) msg.delta = delta;
    this.job.send(place('events', msg, this.settings));
  }
}
