/** Opens, checks and migrates the SQLite file. */
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { EngineStartError } from '../../domain/errors.ts';
import type { Tables } from '../schema.ts';
import type { Store } from '../store.ts';
import { BLOCKING_WAIT_MS, isBusy, whenFree } from './busy.ts';
import { sqliteDialect } from './driver.ts';
import { isUniqueViolation, sqliteFault } from './faults.ts';
import { giveSpaceBack } from './free-space.ts';
import { MIGRATIONS } from './migrations.ts';

/** "Runs" in ASCII: marks a database file as ours. */
const APPLICATION_ID = 0x52756e73;
/** Files up to this many bytes are checked page by page when opened; larger ones only at their head. */
const FULL_CHECK_BYTES = 32 * 1024 * 1024;
/** Files up to this many bytes are rewritten at once so that they can shrink; larger ones keep their free pages. */
const REWRITE_BYTES = 32 * 1024 * 1024;
const OWNER_ONLY = { file: 0o600, folder: 0o700 };

type SqliteModule = typeof import('node:sqlite');

/** `node:sqlite`, without the one warning that Node before 24.15 prints on its first load. */
async function loadSqlite(): Promise<SqliteModule> {
  const emit = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes('SQLite is an experimental feature')) return;
    (emit as (...args: unknown[]) => void).call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return await import('node:sqlite');
  } catch (cause) {
    throw new EngineStartError('noSqlite', { version: process.version }, { cause });
  } finally {
    process.emitWarning = emit;
  }
}

const readPragma = (db: DatabaseSync, name: string): number =>
  Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);

/** Looks at an existing file without writing a byte to it. */
function inspect({ DatabaseSync }: SqliteModule, file: string): void {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BLOCKING_WAIT_MS });
  try {
    const version = readPragma(db, 'user_version');
    const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n);
    if (tables > 0 && readPragma(db, 'application_id') !== APPLICATION_ID) {
      throw new EngineStartError('otherProgram', { file });
    }
    if (version > MIGRATIONS.length) {
      throw new EngineStartError('newer', { file, format: version, known: MIGRATIONS.length });
    }
    if (statSync(file).size <= FULL_CHECK_BYTES) {
      const result = String(Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0]);
      if (result !== 'ok') throw new Error(result.replaceAll(/[\s*]+/g, ' ').trim());
    }
  } finally {
    db.close();
  }
}

/** Applies what is missing, all or nothing. */
function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another process may have migrated in between.
    for (const statements of MIGRATIONS.slice(readPragma(db, 'user_version'))) db.exec(statements);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}; PRAGMA application_id = ${APPLICATION_ID}`);
    db.exec('COMMIT');
  } catch (error) {
    // SQLite has rolled back by itself where the disk is full; the first error is the one to be told.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Makes the file give free pages back; must stand before the first table, or the file be rewritten. */
function makeShrinkable(db: DatabaseSync, size: number): void {
  const INCREMENTAL = 2;
  if (readPragma(db, 'auto_vacuum') === INCREMENTAL || size > REWRITE_BYTES) return;
  db.exec(`PRAGMA auto_vacuum = ${INCREMENTAL}`);
  try {
    if (size > 0) db.exec('VACUUM');
  } catch {
    // In use by another process, or no room for a copy: the file works all the same, and keeps its free pages.
  }
}

/** Only the owner may read what people say to their assistants; a file that is there already keeps its rights. */
function makeFile(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: OWNER_ONLY.folder });
  closeSync(openSync(file, 'a', OWNER_ONLY.file));
}

function open(sqlite: SqliteModule, file: string): DatabaseSync {
  const inMemory = file === ':memory:';
  if (!inMemory) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found && !found.isFile()) {
      const what = found.isDirectory() ? 'a folder' : 'not a file';
      throw new EngineStartError('notWritable', { file, reason: `it is ${what}` });
    }
    if (found?.size) inspect(sqlite, file);
    else makeFile(file);
  }
  const db = new sqlite.DatabaseSync(file, { timeout: BLOCKING_WAIT_MS });
  try {
    db.exec('PRAGMA foreign_keys = ON');
    if (!inMemory) makeShrinkable(db, statSync(file).size);
    // NORMAL in WAL: a killed process loses nothing; only a power cut may take the last moments, never the file.
    if (!inMemory) db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** One sentence for each way a file can be unusable. */
function startError(file: string, error: unknown): EngineStartError {
  if (error instanceof EngineStartError) return error;
  if (isBusy(error)) return new EngineStartError('locked', { file }, { cause: error });
  const { errcode, code, message } = error as { errcode?: number; code?: string; message: string };
  // SQLite's primary result codes: 11 CORRUPT, 26 NOTADB, 8 READONLY, 14 CANTOPEN.
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  const notWritable =
    primary === 8 || primary === 14 || ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code ?? '');
  if (primary === 13 || code === 'ENOSPC')
    return new EngineStartError('diskFull', { file }, { cause: error });
  const isDamaged = primary === 11 || primary === 26 || errcode === undefined;
  const fault = notWritable ? 'notWritable' : isDamaged ? 'damaged' : 'notOpened';
  return new EngineStartError(fault, { file, reason: message }, { cause: error });
}

/** The path without links; what does not exist yet, up to the drive itself, is named after what does. */
export function realPath(file: string, exists = existsSync): string {
  const folder = path.dirname(file);
  if (exists(file)) return realpathSync(file);
  return folder === file ? file : path.join(realPath(folder, exists), path.basename(file));
}

/** Files that this process has open, by their real path, and for how many. */
const shared = new Map<string, { store: Promise<Store>; users: number }>();

/**
 * Opens the database and brings it to this version's format. Two users of one file share one connection: with two,
 * the wait of one for the other's transaction would stop the thread on which that transaction is to go on.
 * @param file path, or `:memory:`; missing folders are made.
 * @throws EngineStartError; a file that is not ours, damaged or newer has not been written to.
 */
export async function openStore(file: string): Promise<Store> {
  if (file === ':memory:') return openOwn(file);
  const resolved = path.resolve(file);
  const key = realPath(resolved);
  const entry = shared.get(key) ?? { store: openOwn(resolved), users: 0 };
  shared.set(key, entry);
  entry.users++;
  const leave = async () => {
    if (--entry.users > 0) return;
    if (shared.get(key) === entry) shared.delete(key);
    await (await entry.store).close();
  };
  try {
    return { ...(await entry.store), close: leave };
  } catch (error) {
    if (shared.get(key) === entry) shared.delete(key);
    throw error;
  }
}

async function openOwn(file: string): Promise<Store> {
  const sqlite = await loadSqlite();
  let database: DatabaseSync;
  try {
    database = await whenFree(() => open(sqlite, file));
  } catch (error) {
    throw startError(file, error);
  }
  const db = new Kysely<Tables>({ dialect: sqliteDialect(database) });
  return {
    db,
    fault: sqliteFault,
    isUniqueViolation,
    giveSpaceBack: () => giveSpaceBack(db),
    async close() {
      await db.destroy();
      database.close();
    },
  };
}
