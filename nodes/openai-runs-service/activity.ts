/** What goes on in a service: messages in flight in its nodes, runs that change, runs that end. */
import type OpenAI from 'openai';
import { isActive } from '../../engine/domain/run-states.ts';
import type { Mark, Origin } from '../../engine/index.ts';
import type { RunRing, Words } from './run-ring.ts';

type Run = OpenAI.Beta.Threads.Run;
type RunEvent = OpenAI.Beta.AssistantStreamEvent;

/** Runs whose change is remembered, for those who ask what is new. */
const REMEMBERED = 200;
/** Milliseconds between two words to the editor that something is new. */
const PACE = 400;

/** A message on its way through a node, before and while it has a run. Times are milliseconds since 1970. */
export interface Flight {
  readonly origin: Origin;
  readonly since: number;
  readonly state: string;
  /** Messages that stand before it on its thread. */
  readonly ahead: number;
  readonly retry: { attempt: number; at: number; limited: boolean } | undefined;
  readonly ids: { thread_id?: string; run_id?: string };
  readonly marks: Mark[];
}

type EndListener = (run: Run) => void;
/** What becomes of a message: the events of its run, and that it is done with. */
export type FlightEvent =
  | RunEvent
  | { event: 'end'; error?: string | undefined; run_id?: string | undefined };

type EventListener = (event: FlightEvent) => void;

export class RunActivity {
  readonly flights = new Set<Flight>();
  /** The runs of a server that nodes here have made; the embedded engine knows its own. */
  ring: RunRing | undefined;
  /** Keeps a run's origin in the embedded engine. */
  keep: ((runId: string, origin: Origin) => Promise<void>) | undefined;
  #version = 0;
  readonly #changed = new Map<string, number>();
  readonly #ends = new Set<EndListener>();
  readonly #watched = new Map<string, () => void>();
  readonly #events = new Map<string, EventListener>();
  readonly #publish: (version: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  /** @param publish tells the editor, not more often than it can draw */
  constructor(publish: (version: number) => void = () => {}) {
    this.#publish = publish;
  }

  get version(): number {
    return this.#version;
  }

  add(flight: Flight): void {
    this.flights.add(flight);
    this.touch();
  }

  /** @param error why the message failed, if it did */
  remove(flight: Flight, error?: string): void {
    if (!this.flights.delete(flight)) return;
    this.#events.get(flight.origin.msgId)?.({ event: 'end', error, run_id: flight.ids.run_id });
    this.touch();
  }

  /** Something about a flight is new. */
  touch(): void {
    this.#version += 1;
    if (this.#timer) return;
    const wait = Math.max(0, this.#last + PACE - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#last = Date.now();
      this.#publish(this.#version);
    }, wait).unref();
  }

  /** A run is new or has another status, whoever made it. */
  changed(run: Run): void {
    this.#changed.delete(run.id);
    this.touch();
    this.#changed.set(run.id, this.#version);
    for (const id of this.#changed.keys()) {
      if (this.#changed.size <= REMEMBERED) break;
      this.#changed.delete(id);
    }
    this.#watched.get(run.id)?.();
    if (isActive(run.status)) return;
    for (const listener of this.#ends) listener(run);
  }

  /** A node has seen a run of its own: where it came from is kept, with what happened when. */
  saw(run: Run, origin: Origin | undefined, words: Words): void {
    if (this.ring) {
      const news = this.ring.see(run, origin, words);
      if (news) this.changed(run);
    } else if (origin) {
      // A run that is deleted meanwhile needs none.
      this.keep?.(run.id, origin).catch(() => {});
    }
  }

  /** Ids of the runs that have changed since a version; undefined where that is too long ago to be known. */
  changedSince(version: number): string[] | undefined {
    const oldest = this.#changed.values().next().value ?? 0;
    if (version > this.#version) return undefined;
    if (this.#changed.size === REMEMBERED && version < oldest) return undefined;
    return [...this.#changed].filter(([, at]) => at > version).map(([id]) => id);
  }

  /** Hears of every run that ends. @returns takes the listener back */
  onEnd(listener: EndListener): () => void {
    this.#ends.add(listener);
    return () => this.#ends.delete(listener);
  }

  /** Hears that a run has another status, for the node that waits for its tools. @returns takes the listener back */
  onRun(runId: string, listener: () => void): () => void {
    this.#watched.set(runId, listener);
    return () => this.#watched.delete(runId);
  }

  /** Hears the events of the run that one message asks for. @returns takes the listener back */
  onEvent(msgId: string, listener: EventListener): () => void {
    this.#events.set(msgId, listener);
    return () => this.#events.delete(msgId);
  }

  /** An event of a flight's run. */
  heard(event: RunEvent, flight: Flight): void {
    this.#events.get(flight.origin.msgId)?.(event);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#ends.clear();
    this.#events.clear();
    this.#watched.clear();
  }
}
