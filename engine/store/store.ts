/** A database as the engine sees it. Queries are written once, for all; what is the database's own, it brings. */
import type { Kysely } from 'kysely';
import type { Tables } from './schema.ts';

/** The database, or a transaction on it. */
export type Db = Kysely<Tables>;

export interface Store {
  db: Db;
  /** What a fault of the database means; undefined for an error of another kind. */
  fault(error: unknown): StoreFault | undefined;
  /** Whether a write was refused because of the index that allows one active run per thread. */
  isUniqueViolation(error: unknown): boolean;
  /** Gives some space that deleted rows have left back to the disk. @returns whether there is more */
  giveSpaceBack(): Promise<boolean>;
  /** Closes the database for this user of it. */
  close(): Promise<void>;
}

export type StoreFaultCode =
  | 'database_locked'
  | 'database_full'
  | 'database_read_only'
  | 'database_damaged'
  | 'database_failed';

export interface StoreFault {
  code: StoreFaultCode;
  /** One sentence for people, and what to do. */
  message: string;
}

/** All of it or nothing. Nobody else writes meanwhile: what was read is still true when it is written. */
export const atomically = <T>(db: Db, work: (trx: Db) => Promise<T>): Promise<T> =>
  db.transaction().execute(work);
