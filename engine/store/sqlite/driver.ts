/** Kysely's way to `node:sqlite`: one connection, its users in line, and the rest of the process in between. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setImmediate as breathe } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { whenFree } from './busy.ts';

/** Milliseconds of work on the file after which the rest of the process has its turn. */
const SLICE_MS = 10;
/** Statements that are kept ready; lists of varying length in `in (…)` make new texts. */
const MOST_KEPT = 500;

/** A dialect on an open file; closing it is the opener's. */
export const sqliteDialect = (database: DatabaseSync): Dialect => ({
  createAdapter: () => new Adapter(),
  createDriver: () => new SqliteDriver(database),
  createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  createQueryCompiler: () => new Compiler(),
});

/** Row locks (`for update`) are for databases that let several write at once; here a transaction has the whole file. */
class Compiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === 'Distinct') super.visitSelectModifier(node);
  }
}

/** Our driver keeps its users in line; Kysely's own way wakes all of them for each turn. */
class Adapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** Statements and transactions come one after the other, in the order they were asked for. */
class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #waiting: (() => void)[] = [];
  #taken = false;
  #sliceBegan = performance.now();

  constructor(database: DatabaseSync) {
    this.#connection = new SqliteConnection(database);
  }

  async init(): Promise<void> {}
  async destroy(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    // Thousands of runs are one long chain of small steps, and would leave no gap for anything else.
    if (performance.now() - this.#sliceBegan > SLICE_MS) {
      await breathe();
      this.#sliceBegan = performance.now();
    }
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken = false;
  }

  /** Takes the write lock at the start: what a transaction has read is then still true when it writes. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite has rolled back by itself when the disk is full; the first error is the one to be told.
    if (this.#connection.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #kept = new Map<string, { statement: StatementSync; reads: boolean }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Waits while another program holds the file; a statement that was refused has changed nothing. */
  executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return whenFree(() => this.#run<R>(sql, parameters as readonly SQLInputValue[]));
  }

  // biome-ignore lint/correctness/useYield: nothing here reads row by row
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Rows are read all at once.');
  }

  #run<R>(sql: string, parameters: readonly SQLInputValue[]): QueryResult<R> {
    const { statement, reads } = this.#prepare(sql);
    if (reads) return { rows: statement.all(...parameters) as R[] };
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  #prepare(sql: string): { statement: StatementSync; reads: boolean } {
    const known = this.#kept.get(sql);
    if (known) return known;
    const reads = /^\s*(?:select|with|pragma)\b|\breturning\b/i.test(sql);
    const prepared = { statement: this.#database.prepare(sql), reads };
    if (this.#kept.size < MOST_KEPT) this.#kept.set(sql, prepared);
    return prepared;
  }
}
