/** What happens in a run, as a list that only grows. Streams, however many, read from it at their own pace. */

/** One event of the stream, its data an object that nobody changes afterwards. */
export interface LoggedEvent {
  event: string;
  data: unknown;
}

type Listener = (events: readonly LoggedEvent[]) => void;

/** Chat-Completions streams have no names of events. */
const frameOf = ({ event, data }: LoggedEvent) =>
  `${event && `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** The events of one attempt: from creation or submitted outputs until the run ends or asks for tools. */
export class EventLog {
  /** Number of the first event among all of the run: `thread.run.created` is 1, `thread.created` before it 0. */
  readonly first: number;
  /** The attempt that writes it, once it has begun. */
  attempt: number | undefined;
  /** How many of the events are written where readers on other machines find them; undefined where none are. */
  told: number | undefined;
  /** Called when a reader goes, and whether it has read all; for a log that is made for one reader. */
  onLeft: (hasAll: boolean) => void = () => {};
  readonly #events: LoggedEvent[] = [];
  /** Text of each event, made when the first reader needs it. */
  readonly #frames: (string | undefined)[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #onAppend: Listener;
  #ended = false;
  readonly #last: string;

  /** @param options.last name of the closing frame; `onAppend` hears of what is appended */
  constructor(first = 1, options: { last?: string; onAppend?: Listener } = {}) {
    this.first = first;
    this.#last = options.last ?? 'done';
    this.#onAppend = options.onAppend ?? (() => {});
  }

  /** The number that the run's next event will have. */
  get next(): number {
    return this.first + this.#events.length;
  }

  get length(): number {
    return this.#events.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  append(...events: LoggedEvent[]): void {
    if (this.#ended) return;
    this.#events.push(...events);
    this.#wake();
    this.#onAppend(events);
  }

  /** Appends the closing frame; nothing can follow. */
  end(): void {
    if (this.#ended) return;
    this.#events.push({ event: this.#last, data: '[DONE]' });
    this.#ended = true;
    this.#wake();
  }

  events(): readonly LoggedEvent[] {
    return this.#events;
  }

  /** Appends an event whose data is text already, as another machine has told it. */
  appendTold({ event, data }: { event: string; data: string }): void {
    if (this.#ended) return;
    this.#frames[this.#events.length] = frameOf({ event, data });
    this.#events.push({ event, data });
    this.#wake();
  }

  /** The text of an event's data. */
  dataText(index: number): string {
    const { event } = this.#events[index]!;
    this.#frames[index] ??= frameOf(this.#events[index]!);
    return this.#frames[index].slice(`event: ${event}\ndata: `.length, -2);
  }

  /**
   * The frames from `index` on, as they go over the wire, until they have `enough` characters.
   * @returns them, and the index of the next
   */
  frames(index: number, enough: number): { text: string; next: number } {
    let text = '';
    let next = index;
    while (next < this.#events.length && text.length < enough) {
      text += this.#frames[next] ??= frameOf(this.#events[next]!);
      next += 1;
    }
    return { text, next };
  }

  /** Every event from the first to the last, as they come. */
  async *read(): AsyncGenerator<LoggedEvent> {
    for (let i = 0; ; i++) {
      while (i >= this.#events.length) {
        if (this.#ended) return;
        await new Promise<void>((resolve) => this.onNext(resolve));
      }
      yield this.#events[i]!;
    }
  }

  /** Calls back once when something is appended; the returned function takes that back. */
  onNext(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}

/** The logs of the runs that this process has in hand. */
export class EventHub {
  readonly #logs = new Map<string, EventLog>();
  readonly #held = new Map<string, number>();
  readonly #listeners = new Map<string, Set<(log: EventLog) => void>>();
  readonly #onEvents: Listener;

  /** @param onEvents hears of all that happens in the runs of this process */
  constructor(onEvents: Listener = () => {}) {
    this.#onEvents = onEvents;
  }

  /** Starts an attempt's log; readers of an earlier attempt keep theirs. */
  open(runId: string, first?: number): EventLog {
    const log = new EventLog(first, { onAppend: this.#onEvents });
    this.#logs.set(runId, log);
    for (const listener of this.#listeners.get(runId) ?? []) listener(log);
    return log;
  }

  /** All logs that are open. */
  logs(): Iterable<[runId: string, log: EventLog]> {
    return this.#logs;
  }

  /** Tells of every attempt of a run that is to come. @returns takes the listener back */
  onOpen(runId: string, listener: (log: EventLog) => void): () => void {
    const listeners = this.#listeners.get(runId) ?? new Set();
    this.#listeners.set(runId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(runId) === listeners) this.#listeners.delete(runId);
    };
  }

  get(runId: string): EventLog | undefined {
    return this.#logs.get(runId);
  }

  /** Tells of what happened in a run, whether or not it has a log. */
  append(runId: string, events: readonly LoggedEvent[]): void {
    const log = this.#logs.get(runId);
    if (log && !log.ended) log.append(...events);
    else this.#onEvents(events);
  }

  /** Ends an attempt's log. Readers still read to its end; the hub forgets it. */
  close(runId: string, log: EventLog): void {
    log.end();
    if (this.#logs.get(runId) === log) this.#logs.delete(runId);
  }

  /** Marks a run as about to be started by this process, until the returned function is called. */
  hold(runId: string): () => void {
    this.#held.set(runId, (this.#held.get(runId) ?? 0) + 1);
    return () => {
      const left = this.#held.get(runId)! - 1;
      if (left > 0) this.#held.set(runId, left);
      else this.#held.delete(runId);
    };
  }

  isHeld(runId: string): boolean {
    return this.#held.has(runId);
  }
}
