/** One followed run: everything that is known of it, in one place. */

import type { Connection } from '../../openai-runs-service/connection.ts';
import type { RunsTranslate } from '../../shared/texts.ts';
import type { ToolCall } from '../../shared/waiting-calls.ts';
import type { Job, JobState } from '../job.ts';
import type { Params, Run, RunEvent, RunMethod } from '../methods/method.ts';
import type { NodeParts } from '../node-parts.ts';
import { Events } from '../output/events.ts';
import { optionsOf, type Request } from '../request/read-request.ts';
import { RunTrace } from './run-trace.ts';
import { hasSettled, isRunEvent, RunView } from './run-view.ts';

export interface SessionOptions {
  parts: NodeParts;
  job: Job;
  connection: Connection;
  method: RunMethod;
  request: Request;
  /** The conversation the message belongs to. */
  key?: string | undefined;
}

/** One run that a message set going or looks at: all that is known of it, and what it shows on the way. */
export class RunSession {
  readonly parts: NodeParts;
  readonly job: Job;
  readonly connection: Connection;
  readonly key: string | undefined;
  readonly view = new RunView();
  /** Whether the run is followed to its end; else only the answer to the request counts. */
  readonly isFollowed: boolean;
  method: RunMethod;
  params: Params;
  /** Whether what `view` holds was seen since the last request was sent. */
  private fresh = false;
  /** Where the run's events go, if the message asks for them. */
  private readonly events: Events | undefined;
  private readonly forget: () => void;
  /** Number of the last event of the run that is known already. */
  readonly startingAfter: number | undefined;
  /** Against repeating; of the first request only. */
  private idempotencyKey: string | undefined;
  /** What is kept of the run for those who look at it. */
  readonly trace: RunTrace;

  constructor({ parts, job, connection, method, request, key }: SessionOptions) {
    this.parts = parts;
    this.job = job;
    this.connection = connection;
    this.method = method;
    this.params = request.params;
    this.key = key;
    this.idempotencyKey = request.idempotencyKey;
    this.startingAfter = request.startingAfter;
    this.isFollowed = request.delivery !== 'start';
    this.events =
      request.delivery === 'stream' ? new Events(job, parts.settings, request.startingAfter) : undefined;
    job.view = this.view;
    this.trace = new RunTrace(parts.service.activity, job, method, this.view, request.params);
    this.forget =
      connection.notices?.onRetry((notice) => {
        if (notice.runId !== this.ids.run_id) return;
        this.waitForRetry({ ...notice, limited: notice.reason === 'provider_rate_limited' });
      }) ?? (() => {});
  }

  get t(): RunsTranslate {
    return this.parts.t;
  }

  get options() {
    return optionsOf(this.method, this.job.signal, this.idempotencyKey);
  }

  /** Where the run is, as far as known: seen, or named in the request. */
  get ids(): { thread_id?: string; run_id?: string } {
    const { thread_id, run_id } = this.params;
    return { thread_id, run_id, ...this.view.ids };
  }

  /** Goes on with another request on the same run; what was seen before says nothing about its outcome. */
  continueWith(method: RunMethod, params: Params): void {
    this.method = method;
    this.params = params;
    this.idempotencyKey = undefined;
    this.fresh = false;
  }

  /**
   * Whether the events are all that leaves: a node that only starts runs gives what the endpoint gives, and that is
   * the stream where the message asks for one.
   */
  get onlyEvents(): boolean {
    const { delivery, tools } = this.parts.settings;
    return delivery === 'start' && !tools && this.events !== undefined;
  }

  /** Whether the run has been seen to end, or to need tool outputs, since the last request. */
  get settled(): boolean {
    return this.fresh && this.view.run !== undefined && hasSettled(this.view.run);
  }

  /** Takes in a run object that came outside a stream, and tells its status as an event when it is news. */
  seeRun(run: Run): void {
    const news = !this.fresh || this.view.run?.status !== run.status;
    this.view.run = run;
    this.fresh = true;
    if (news) this.trace.run(run);
    if (news) this.events?.add({ event: `thread.run.${run.status}`, data: run } as RunEvent);
    this.setState(run.status === 'queued' ? 'queued' : 'in_progress');
  }

  /** Takes in one event of a stream. */
  seeEvent(event: RunEvent): void {
    this.view.apply(event);
    this.trace.event(event);
    if (isRunEvent(event)) this.fresh = true;
    this.events?.add(event);
    if (event.event === 'thread.message.delta') this.setState('streaming');
    else if (event.event === 'thread.run.queued') this.setState('queued');
    else if (event.event === 'thread.run.in_progress') this.setState('in_progress');
  }

  /** Shows how many of a round's tools have answered. */
  showTools({ answered, calls }: { answered: number; calls: readonly ToolCall[] }): void {
    this.job.progress = { answered, count: calls.length, tool: calls[0]?.name ?? '' };
    this.job.state = 'tools';
    this.parts.status.update();
  }

  /** Shows that other runs stand before this one on its thread. */
  waitFor(ahead: number): void {
    this.job.ahead = ahead;
    this.job.state = 'waiting';
    this.parts.status.update();
  }

  /** Shows that a request is repeated: its number, milliseconds until then, and whether a rate limit is why. */
  waitForRetry({ attempt, wait, limited }: { attempt: number; wait: number; limited: boolean }): void {
    this.job.retry = { attempt, at: Date.now() + wait, limited };
    this.parts.status.update();
  }

  /** Sends the events that are held back, and hears no more of the run. */
  end(): void {
    this.events?.end();
    this.forget();
  }

  private setState(state: JobState): void {
    if (this.job.state === state) return;
    this.job.state = state;
    this.parts.status.update();
  }
}
