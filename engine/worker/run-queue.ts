/** Which queued runs this process takes up: its own while it has room, and what others had no room for. */
import type { EngineLog } from '../domain/log.ts';
import { takeQueued } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { EventHub } from './event-log.ts';
import type { Executor } from './executor.ts';

/** Runs that are taken up at once, to leave some for others. */
const AT_ONCE = 20;

export interface RunQueueOptions {
  store: Store;
  hub: EventHub;
  executor: Executor;
  workerId: string;
  /** How many runs this process works on at once. */
  capacity: number;
  log: EngineLog;
}

export class RunQueue {
  readonly #options: RunQueueOptions;
  #taking: Promise<void> | undefined;
  #again = false;
  #closed = false;
  /** Places for runs that are just being queued. */
  #kept = 0;

  constructor(options: RunQueueOptions) {
    this.#options = options;
    options.executor.onEnd(() => {
      // A file has no line: whoever queues a run works on it.
      if (options.store.shared) void this.take();
    });
  }

  /**
   * Whose a run that is queued now becomes: this process's, whose place is kept until `release`, or the first's that has
   * room (null).
   */
  place(): { owner: string | null; release: () => void } {
    if (this.#room() <= 0) return { owner: null, release: () => {} };
    this.#kept += 1;
    return {
      owner: this.#options.workerId,
      release: () => {
        this.#kept -= 1;
      },
    };
  }

  #room(): number {
    const { executor, capacity } = this.#options;
    return capacity - executor.size - this.#kept;
  }

  /** Takes up what waits for room, as long as there is some here; never rejects. */
  take(): Promise<void> {
    this.#again = true;
    this.#taking ??= this.#takeAll()
      .catch((error: unknown) => this.#options.log.warn(`Taking up queued runs: ${String(error)}`))
      .finally(() => {
        this.#taking = undefined;
      });
    return this.#taking;
  }

  close(): void {
    this.#closed = true;
  }

  async #takeAll(): Promise<void> {
    const { store, hub, executor, workerId } = this.#options;
    while (this.#again && !this.#closed) {
      this.#again = false;
      const room = Math.min(this.#room(), AT_ONCE);
      if (room <= 0) return;
      const taken = await takeQueued(store.db, workerId, room);
      for (const { id, events } of taken) {
        const log = hub.open(id, events + 1);
        // Whoever follows it looks into the database.
        log.told = 0;
        executor.start(id, log);
      }
      if (taken.length > 0) this.#again = true;
    }
  }
}
