/** Who is at work on what: the attempts of this process. */
import { Attempt, type AttemptOptions, type StopReason } from './attempt.ts';
import type { EventHub, EventLog } from './event-log.ts';

export interface ExecutorOptions extends AttemptOptions {
  hub: EventHub;
}

interface AtWork {
  attempt: Attempt;
  /** Never rejects. */
  done: Promise<void>;
}

export class Executor {
  readonly #options: ExecutorOptions;
  readonly #atWork = new Map<string, AtWork>();
  #onEnd = () => {};
  #onLost: (runId: string, log: EventLog) => void;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#onLost = (runId, log) => options.hub.close(runId, log);
  }

  /**
   * Takes up a queued run and returns at once; its events go to the log, which is closed at the attempt's end. Where the
   * run has become another process's meanwhile, the log is for whoever is told of it (onLost).
   */
  start(runId: string, log: EventLog): void {
    const attempt = new Attempt(this.#options, runId, log);
    const one: AtWork = { attempt, done: Promise.resolve() };
    this.#atWork.set(runId, one);
    one.done = attempt.work().then((isElsewhere) => {
      if (this.#atWork.get(runId) === one) this.#atWork.delete(runId);
      if (isElsewhere) this.#onLost(runId, log);
      else this.#options.hub.close(runId, log);
      this.#onEnd();
    });
  }

  /** Calls back with the log of a run that another process has; to be closed there. */
  onLost(call: (runId: string, log: EventLog) => void): void {
    this.#onLost = call;
  }

  /** Calls back after each attempt. */
  onEnd(call: () => void): void {
    this.#onEnd = call;
  }

  /** True while this process is at work on the run. */
  has(runId: string): boolean {
    return this.#atWork.has(runId);
  }

  /** Ids of the runs that are at work. */
  get runIds(): string[] {
    return [...this.#atWork.keys()];
  }

  /** How many runs are at work. */
  get size(): number {
    return this.#atWork.size;
  }

  /** Aborts the model request of a run at once. @returns false when the run is not at work here. */
  stop(runId: string, reason: StopReason): boolean {
    const one = this.#atWork.get(runId);
    one?.attempt.stop(reason);
    return one !== undefined;
  }

  /** Stops every run and waits until their last rows are written. */
  async stopAll(): Promise<void> {
    const all = [...this.#atWork.values()];
    for (const { attempt } of all) attempt.stop('shutdown');
    await Promise.all(all.map(({ done }) => done));
  }
}
