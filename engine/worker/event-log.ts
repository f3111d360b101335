/** What happens in a run, as a list that only grows. Streams, however many, read from it at their own pace. */

/** One event of the stream, its data an object that nobody changes afterwards. */
export interface LoggedEvent {
  event: string;
  data: unknown;
}

const frameOf = ({ event, data }: LoggedEvent) =>
  `event: ${event}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** The events of one attempt: from creation or submitted outputs until the run ends or asks for tools. */
export class EventLog {
  /** Number of the first event among all of the run: `thread.run.created` is 1, `thread.created` before it 0. */
  readonly first: number;
  /** The attempt that writes it, once it has begun. */
  attempt: number | undefined;
  /** How many of the events are written where readers on other machines find them; undefined where none are. */
  told: number | undefined;
  /** Called when a reader goes, or has read all; for a log that is made for one reader. */
  onLeft: () => void = () => {};
  readonly #events: LoggedEvent[] = [];
  /** Text of each event, made when the first reader needs it. */
  readonly #frames: (string | undefined)[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(first = 1) {
    this.first = first;
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

  /** Starts an attempt's log; readers of an earlier attempt keep theirs. */
  open(runId: string, first?: number): EventLog {
    const log = new EventLog(first);
    this.#logs.set(runId, log);
    return log;
  }

  /** All logs that are open. */
  logs(): Iterable<[runId: string, log: EventLog]> {
    return this.#logs;
  }

  get(runId: string): EventLog | undefined {
    return this.#logs.get(runId);
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
