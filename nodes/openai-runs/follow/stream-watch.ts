/** Looks after a run whose stream says nothing: what happened may never come, or the run may be over already. */

import { isOverdue, look } from './poll.ts';
import { hasSettled } from './run-view.ts';
import type { RunSession } from './session.ts';

/** Milliseconds without an event after which the run itself is looked at; a shorter timeout of the service counts. */
const SILENCE_MS = 30_000;

export class StreamWatch {
  readonly signal: AbortSignal;
  private readonly session: RunSession;
  private readonly controller = new AbortController();
  private readonly silence: number;
  private readonly timer: NodeJS.Timeout;
  private heardAt = Date.now();
  private looking = false;

  constructor(session: RunSession) {
    this.session = session;
    const { timeoutMs } = session.connection;
    this.silence = timeoutMs > 0 ? Math.min(SILENCE_MS, timeoutMs) : SILENCE_MS;
    this.signal = AbortSignal.any([session.job.signal, this.controller.signal]);
    this.timer = setInterval(() => void this.check(), this.silence / 4).unref();
  }

  /** An event came. */
  heard(): void {
    this.heardAt = Date.now();
  }

  end(): void {
    clearInterval(this.timer);
  }

  /** Ends the reading where the run is over, or can't be looked at; whoever reads then polls. */
  private async check(): Promise<void> {
    if (this.looking || !this.session.ids.run_id || Date.now() - this.heardAt < this.silence) return;
    this.looking = true;
    try {
      const { run, now } = await look(this.session);
      if (hasSettled(run) || isOverdue(this.session, run, now)) this.controller.abort();
    } catch {
      this.controller.abort();
    }
    this.heardAt = Date.now();
    this.looking = false;
  }
}
