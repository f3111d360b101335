/** Why the database could not be read or written, in one sentence each with what to do. */
import { type StoreFault, type StoreFaultCode, worded } from '../store.ts';
import { isBusy, primaryCode } from './busy.ts';

const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

const SENTENCES: Record<Exclude<StoreFaultCode, 'database_unreachable'>, string> = {
  database_locked:
    'The database is held by another program; it was waited for in vain. End what has the file open, such as a backup or a database browser.',
  database_full: 'The disk of the database is full. Free some space; nothing that was saved is lost.',
  database_read_only:
    'The database can be read only. Give Node-RED the right to write to the file and its folder.',
  database_damaged: 'The database is damaged. Restore the file from a backup, or choose another.',
  database_failed: 'The database could not be used',
};

/** What a fault of SQLite means; undefined for every other error. */
export function sqliteFault(error: unknown): StoreFault | undefined {
  const { code, errcode } = error as { code?: string; errcode?: number };
  if (code !== 'ERR_SQLITE_ERROR' && errcode === undefined) return undefined;
  const fault = codeOf(error);
  return fault && worded(fault, SENTENCES[fault], error);
}

function codeOf(error: unknown): keyof typeof SENTENCES | undefined {
  if (isBusy(error)) return 'database_locked';
  switch (primaryCode(error)) {
    case FULL:
      return 'database_full';
    case READONLY:
      return 'database_read_only';
    case CORRUPT:
    case NOTADB:
      return 'database_damaged';
    case IOERR:
      // A full disk shows as a failed write as well.
      return /full|space/i.test(String((error as Error).message)) ? 'database_full' : 'database_failed';
    case CANTOPEN:
      return 'database_failed';
    default:
      // A wrong statement is a fault of ours, not of the file.
      return undefined;
  }
}

const CONSTRAINT_UNIQUE = 2067;
const CONSTRAINT_PRIMARYKEY = 1555;

export const isUniqueViolation = (error: unknown): boolean =>
  [CONSTRAINT_UNIQUE, CONSTRAINT_PRIMARYKEY].includes((error as { errcode?: number }).errcode ?? 0);
