/**
 * Events on their way to readers on other machines: at most one write per 50 ms, for all runs together. As long as no
 * other process is there, nothing is written and nothing is watched.
 */

import type { EngineLog } from '../domain/log.ts';
import { isActive } from '../domain/run-states.ts';
import { lastEventOf } from '../store/events.ts';
import type { RunRecord } from '../store/records.ts';
import type { ToldEvent } from '../store/shared.ts';
import type { Db, Store } from '../store/store.ts';
import type { EventHub, EventLog, LoggedEvent } from './event-log.ts';

/** Milliseconds between two writes. */
const PAUSE_MS = 50;
const PAUSE_AFTER_FAULT_MS = 500;
/** Runs of one write: all their ids go into one notification. */
const RUNS_AT_ONCE = 200;
/** Characters of one write, not to hold a large one in memory twice. */
const CHARACTERS_AT_ONCE = 4_000_000;

/** Whether a stream ends with an event of this name. */
export const isLast = (event: string): boolean => {
  const status = /^thread\.run\.(\w+)$/.exec(event)?.[1];
  if (status === undefined || status === 'created') return false;
  return status === 'requires_action' || !isActive(status as RunRecord['status']);
};

/** Told to readers of this process only. */
const isOwn = ({ event }: LoggedEvent) => event === 'error' || event === 'done';

/** Writes a run's events in the transaction that makes them true. */
export type Tell = (trx: Db, run: RunRecord, events: LoggedEvent[]) => Promise<void>;

export class Outbox {
  readonly #store: Store;
  readonly #hub: EventHub;
  readonly #log: EngineLog;
  readonly #dirty = new Map<string, EventLog>();
  #timer: NodeJS.Timeout | undefined;
  #lastWrite = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #others = false;

  constructor({ store, hub, log }: { store: Store; hub: EventHub; log: EngineLog }) {
    this.#store = store;
    this.#hub = hub;
    this.#log = log;
  }

  /** Whether other processes may have readers. */
  get open(): boolean {
    return this.#others;
  }

  /** Another process has come, or the last has gone. What goes on now is told from its beginning. */
  setOthers(others: boolean): void {
    if (others === this.#others) return;
    this.#others = others;
    if (others)
      for (const [runId, log] of this.#hub.logs())
        if (log.attempt !== undefined && log.told === undefined) this.follow(runId, log);
  }

  /** Tells what comes into the log of an attempt that has begun. */
  follow(runId: string, log: EventLog): void {
    if (!this.#others && log.told === undefined) return;
    log.told ??= 0;
    const onNews = () => {
      if (log.told === undefined) return;
      this.#dirty.set(runId, log);
      this.#schedule();
      if (!log.ended) log.onNext(onNews);
    };
    onNews();
  }

  /**
   * To be called before the transaction that ends an attempt or lets it wait, with nothing more to be said until then.
   * @returns tells, in that transaction, what has not been told yet and the last events; then it does nothing
   *   where nobody else listens
   */
  async settle(runId: string, log: EventLog): Promise<Tell> {
    if (log.told === undefined) return async () => {};
    await this.#writing;
    this.#dirty.delete(runId);
    const from = log.told ?? 0;
    log.told = undefined;
    const pending = log.events().slice(from);
    return (trx, run, events) => this.tell(trx, run, log.first + from, [...pending, ...events]);
  }

  /** In the transaction that changes a run: its events, the first of them by its number. */
  async tell(trx: Db, run: RunRecord, first: number, events: readonly LoggedEvent[]): Promise<void> {
    await this.#store.shared?.tellEvents(
      trx,
      events.map(({ event, data }, i) => ({
        run_id: run.id,
        seq: first + i,
        event,
        data: JSON.stringify(data),
        ends: isLast(event),
        attempt: run.attempt,
      })),
    );
  }

  /** As tell, after the events that are there: whoever had the run in hand is gone. */
  readonly tellNext: Tell = async (trx, run, events) => {
    if (!this.#store.shared) return;
    const last = (await lastEventOf(trx, run.id)) ?? run.events;
    await this.tell(trx, run, last + 1, events);
  };

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dirty.clear();
    this.#others = false;
  }

  #schedule(): void {
    if (this.#timer || this.#writing) return;
    const wait = Math.max(0, this.#lastWrite + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const logs = [...this.#dirty].slice(0, RUNS_AT_ONCE);
      for (const [runId] of logs) this.#dirty.delete(runId);
      this.#lastWrite = performance.now();
      this.#writing = this.#write(logs)
        .catch((error: unknown) => {
          // They stay in their logs; the run's end brings them at the latest.
          this.#log.debug(`Events for other machines: ${String(error)}`);
          for (const [runId, log] of logs) if (log.told !== undefined) this.#dirty.set(runId, log);
          this.#lastWrite = performance.now() + PAUSE_AFTER_FAULT_MS;
        })
        .finally(() => {
          this.#writing = undefined;
          if (this.#dirty.size > 0) this.#schedule();
        });
    }, wait);
  }

  async #write(logs: [string, EventLog][]): Promise<void> {
    const events: ToldEvent[] = [];
    const told = new Map<EventLog, number>();
    let size = 0;
    const flush = async () => {
      if (events.length > 0) await this.#store.shared!.tellEvents(this.#store.db, events.splice(0), true);
      for (const [log, count] of told) if (log.told !== undefined) log.told = count;
      told.clear();
      size = 0;
    };
    for (const [run_id, log] of logs) {
      const list = log.events();
      for (let i = log.told ?? 0; i < list.length; i++) {
        told.set(log, i + 1);
        const { event } = list[i]!;
        if (isOwn(list[i]!)) continue;
        const data = log.dataText(i);
        const attempt = log.attempt!;
        events.push({ run_id, seq: log.first + i, event, data, ends: isLast(event), attempt });
        size += data.length;
        if (size > CHARACTERS_AT_ONCE) await flush();
      }
    }
    await flush();
  }
}
