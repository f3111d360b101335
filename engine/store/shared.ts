/** What several processes on one database need of it beyond rows. A file has none of it: one machine has it to itself. */
import type { Db } from './schema.ts';

/** What the processes on a database tell each other; everything else they look up. */
export type Word =
  /** A process has come: whoever has runs in hand lets it read along. */
  | 'joined'
  /** Runs are queued that nobody has room for. */
  | 'queued'
  /** Runs have new events. */
  | 'events'
  /** Runs are to be stopped, by whoever has them in hand. */
  | 'cancel'
  | 'expire'
  | 'deleted'
  /** Places in these lines are free. */
  | 'left'
  /** Another machine wants a thread for itself. */
  | 'superseded'
  /** Answers to calls of these runs have come in. */
  | 'answered';

/** A word that was heard; `missed`: any may have been said meanwhile. */
export type Ring = { word: Word; ids: string[] } | { word: 'missed' };

/** An event on its way to readers on other machines. */
export interface ToldEvent {
  run_id: string;
  /** See EventsTable. */
  seq: number;
  event: string;
  data: string;
  ends: boolean;
  /** The attempt that tells it; nothing is written for one that is over. */
  attempt: number;
}

export interface Shared {
  /** Milliseconds since 1970 by the database's clock. */
  clock(): number;
  /** Looks at the database's clock again. */
  setClock(): Promise<void>;
  /** False where words don't come through, as behind PgBouncer in transaction mode: looks are taken more often then. */
  readonly hears: boolean;
  /** Says a word to the other processes; in a transaction, once that is done. */
  ring(db: Db, word: Word, ids: string[]): Promise<void>;
  /** Calls back with each word of another process. */
  onRing(hear: (ring: Ring) => void): void;
  /** Does something unless another process is at it. @returns whether it was done here */
  alone(work: () => Promise<void>): Promise<boolean>;
  /**
   * Writes events and says so, in one go; those that are there already stay as they are.
   * @param lazily they may get lost when the server itself crashes, which need not wait for its disk; never in a
   *   transaction that changes anything else
   */
  tellEvents(db: Db, events: ToldEvent[], lazily?: boolean): Promise<void>;
  /** Deletes the events of runs that ended some minutes ago, and what tells of connections that are long gone. */
  tidy(): Promise<void>;
}
