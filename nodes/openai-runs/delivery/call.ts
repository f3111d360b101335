/** What every delivery works with. */
import type { Connection, Translate } from '../../openai-runs-service/connection.ts';
import type { Job, JobState } from '../job.ts';
import type { Params, Run, RunEvent, RunMethod } from '../methods/method.ts';
import { hasSettled, isRunEvent, RunView } from '../run-view.ts';

export interface CallOptions {
  connection: Connection;
  method: RunMethod;
  params: Params;
  job: Job;
  /** Hears every event, in order; a delivery that sends none gives a function that does nothing. */
  onEvent(event: RunEvent): void;
  /** Hears that the job's state may have changed. */
  onState(): void;
  t: Translate;
}

/** One call that sets a run going or looks at one, and what has been seen of the run. */
export class Call {
  readonly connection: Connection;
  readonly job: Job;
  readonly t: Translate;
  readonly view = new RunView();
  method: RunMethod;
  params: Params;
  /** Whether what `view` holds was seen since the last request was sent. */
  private fresh = false;
  private readonly hear: CallOptions['onEvent'];
  private readonly onState: CallOptions['onState'];
  private readonly forget: () => void;

  constructor({ connection, method, params, job, onEvent, onState, t }: CallOptions) {
    this.connection = connection;
    this.method = method;
    this.params = params;
    this.job = job;
    this.t = t;
    this.hear = onEvent;
    this.onState = onState;
    job.view = this.view;
    this.forget =
      connection.notices?.onRetry((notice) => {
        if (notice.runId !== this.ids.run_id) return;
        this.waitForRetry({ ...notice, limited: notice.reason === 'provider_rate_limited' });
      }) ?? (() => {});
  }

  /** Request options: repeated by the SDK only where repeating does no harm. */
  get options() {
    const { signal } = this.job;
    return this.method.repeatable ? { signal } : { signal, maxRetries: 0 };
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
    this.fresh = false;
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
    if (news) this.hear({ event: `thread.run.${run.status}`, data: run } as RunEvent);
    this.setState(run.status === 'queued' ? 'queued' : 'in_progress');
  }

  /** Takes in one event of a stream. */
  seeEvent(event: RunEvent): void {
    this.view.apply(event);
    if (isRunEvent(event)) this.fresh = true;
    this.hear(event);
    if (event.event === 'thread.message.delta') this.setState('streaming');
    else if (event.event === 'thread.run.queued') this.setState('queued');
    else if (event.event === 'thread.run.in_progress') this.setState('in_progress');
  }

  /** Shows how many of a round's tools have answered. */
  showTools({ answered, calls }: { answered: number; calls: readonly unknown[] }): void {
    this.job.progress = { answered, count: calls.length };
    this.job.state = 'tools';
    this.onState();
  }

  /** Shows that other runs stand before this one on its thread. */
  waitFor(ahead: number): void {
    this.job.ahead = ahead;
    this.job.state = 'waiting';
    this.onState();
  }

  /** Shows that a request is repeated: its number, milliseconds until then, and whether a rate limit is why. */
  waitForRetry({ attempt, wait, limited }: { attempt: number; wait: number; limited: boolean }): void {
    this.job.retry = { attempt, at: Date.now() + wait, limited };
    this.onState();
  }

  /** Hears no more of the run. */
  end(): void {
    this.forget();
  }

  private setState(state: JobState): void {
    if (this.job.state === state) return;
    this.job.state = state;
    this.onState();
  }
}
