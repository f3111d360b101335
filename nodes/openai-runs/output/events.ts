/** Sends a run's events as messages: a shallow copy each, named and numbered. */
import type { NodeMessage } from 'node-red';
import type { Job } from '../job.ts';
import type { RunEvent } from '../methods/method.ts';
import type { Settings } from '../settings.ts';
import { Coalescer } from './coalesce.ts';
import { Deltas } from './deltas.ts';
import { toOutput } from './ports.ts';

export class Events {
  private seq: number;
  private readonly deltas = new Deltas();
  private readonly job: Job;
  private readonly settings: Settings;
  private readonly coalescer: Coalescer;

  /** @param after number of the event before the first */
  constructor(job: Job, settings: Settings, after = -1) {
    this.seq = after + 1;
    this.job = job;
    this.settings = settings;
    this.coalescer = new Coalescer(
      settings.coalesce,
      (event) => this.send(event),
      (fault) => job.abort(fault),
    );
  }

  add(event: RunEvent): void {
    this.coalescer.add(event);
  }

  /** Sends what is held back, unless the job was stopped. */
  end(): void {
    if (this.job.signal.aborted) this.coalescer.stop();
    else this.coalescer.flush();
  }

  private send(event: RunEvent): void {
    const { type, delta, snapshot } = this.deltas.of(event) ?? {};
    const { streamed } = this.settings;
    if (streamed === 'text' && (type !== 'text' || !delta)) return;
    const msg: NodeMessage & Record<string, unknown> = {
      ...this.job.msg,
      payload: streamed === 'text' ? delta : event.data,
      event: event.event,
      seq: this.seq++,
    };
    // What an earlier node of this kind left must not pass for this event's.
    for (const name of ['delta', 'deltaType', 'snapshot']) delete msg[name];
    if (delta !== undefined)
      Object.assign(msg, { delta, deltaType: type, ...(snapshot !== undefined && { snapshot }) });
    this.job.send(toOutput('events', msg, this.settings));
  }
}
