/** What happens in a run, as a list that only grows. Streams, however many, read from it at their own pace. */

/** One event of the stream, its data an object that nobody changes afterwards. */
export interface LoggedEvent {
  event: string;
  data: unknown;
}

type Listener = (events: readonly LoggedEvent[]) => void;

const frameOf = ({ event, data }: LoggedEvent) =>
  `event: ${event}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** The events of one attempt: from creation or submitted outputs until the run ends or asks for tools. */
export class EventLog {
  readonly #events: LoggedEvent[] = [];
  /** Text of each event, made when the first reader needs it. */
  readonly #frames: (string | undefined)[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #onAppend: Listener;
  #ended = false;

  /** @param onAppend hears of what is appended */
  constructor(onAppend: Listener = () => {}) {
    this.#onAppend = onAppend;
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
    this.#events.push({ event: 'done', data: '[DONE]' });
    this.#ended = true;
    this.#wake();
  }

  events(): readonly LoggedEvent[] {
    return this.#events;
  }

  /** The frames from `index` on, as they go over the wire. */
  frames(index: number): string {
    let text = '';
    for (let i = index; i < this.#events.length; i++) text += this.#frames[i] ??= frameOf(this.#events[i]!);
    return text;
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
  readonly #onEvents: Listener;

  /** @param onEvents hears of all that happens in the runs of this process */
  constructor(onEvents: Listener = () => {}) {
    this.#onEvents = onEvents;
  }

  /** Starts an attempt's log; readers of an earlier attempt keep theirs. */
  open(runId: string): EventLog {
    const log = new EventLog(this.#onEvents);
    this.#logs.set(runId, log);
    return log;
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
