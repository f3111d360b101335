/** A database as the engine sees it. Queries are written once, for all; what is the database's own, it brings. */
import type { ConnectionOptions } from 'node:tls';
import type { EngineLog } from '../domain/log.ts';
import { backoff, sleep } from '../domain/waits.ts';
import type { Db } from './schema.ts';
import type { Shared } from './shared.ts';

export type { Db } from './schema.ts';

export interface Store {
  db: Db;
  /** What a fault of the database means; undefined for an error of another kind. */
  fault(error: unknown): StoreFault | undefined;
  /** Whether a write was refused because of the index that allows one active run per thread. */
  isUniqueViolation(error: unknown): boolean;
  /** Gives some space that deleted rows have left back to the disk. @returns whether there is more */
  giveSpaceBack(): Promise<boolean>;
  /** Where several machines share the database. */
  shared?: Shared;
  /** The service is to close: a server that is away is no longer waited for. */
  hurry?(): void;
  /** Closes the database for this user of it. */
  close(): Promise<void>;
}

/** What opening a database takes beside its name. */
export interface OpenOptions {
  tls?: ConnectionOptions | undefined;
  log: EngineLog;
}

export type StoreFaultCode =
  | 'database_locked'
  | 'database_full'
  | 'database_read_only'
  | 'database_damaged'
  | 'database_unreachable'
  | 'database_failed';

export interface StoreFault {
  code: StoreFaultCode;
  /** One sentence for people, and what to do. */
  message: string;
}

/** A fault in the sentence that its database has for it; one of no better known kind also says the error's own words. */
export function worded(code: StoreFaultCode, sentence: string, error: unknown): StoreFault {
  const reason = String((error as Error).message).replace(/\.$/, '');
  return { code, message: code === 'database_failed' ? `${sentence}: ${reason}.` : sentence };
}

/** A transaction was not done, through no fault of what it does: the connection was lost, or it stood in another's way. */
export class NotDone extends Error {}

/** Milliseconds that a transaction is tried again. */
const LONGEST_WAIT_MS = 30_000;

/**
 * All of it or nothing; what is read with `for update` is still true when it is written (a file is locked as a whole).
 * @param work may be called again, after a try of which nothing is left
 */
export async function atomically<T>(db: Db, work: (trx: Db) => Promise<T>): Promise<T> {
  const end = performance.now() + LONGEST_WAIT_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (!(error instanceof NotDone)) throw error;
      if (performance.now() > end) throw error.cause;
      await sleep(backoff(attempt, { first: 100, longest: 2000 }));
    }
  }
}
