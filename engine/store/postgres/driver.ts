/** Kysely's way to PostgreSQL: a small pool, connections that may be lost, transactions whose end is certain. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { backoff, sleep } from '../../domain/waits.ts';
import { NotDone } from '../store.ts';
import { type Commit, Commits } from './commits.ts';
import { isLost, wasInTheWay } from './faults.ts';

/** Milliseconds that a server which is away is waited for. */
const LONGEST_WAIT_MS = 30_000;
/** Milliseconds between two tries. */
const PAUSE = { first: 100, longest: 2000 };
/** A process that stands still in the middle of a transaction must not hold its locks for ever. */
const BEGIN = "begin; set local idle_in_transaction_session_timeout = '10s'";

/** Looks can be taken again; so can what begins with a `with`, which is written so that it can. */
const MAY_REPEAT = /^\s*(select|with|set)\b/i;

/** How long a server that is away is waited for; less once the service is to close. */
export interface Patience {
  ms: number;
}

export const patient = (): Patience => ({ ms: LONGEST_WAIT_MS });

export interface DialectOptions {
  /** Ending it is the opener's. */
  pool: Pool;
  patience: Patience;
  /** Where the table of commits is. */
  schema: string;
}

export const postgresDialect = (options: DialectOptions): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new PostgresDriver(options),
  createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  createQueryCompiler: () => new PostgresQueryCompiler(),
});

/** A connection, waiting for a server that is away. @throws what the last try threw */
export async function connect(pool: Pool, patience: Patience): Promise<PoolClient> {
  const start = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await pool.connect();
    } catch (error) {
      if (!isLost(error) || performance.now() > start + patience.ms || pool.ending) throw error;
      await sleep(backoff(attempt, PAUSE));
    }
  }
}

class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #patience: Patience;
  readonly #commits: Commits;

  constructor({ pool, patience, schema }: DialectOptions) {
    this.#pool = pool;
    this.#patience = patience;
    this.#commits = new Commits(schema);
  }

  async init(): Promise<void> {}
  async destroy(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const client = await connect(this.#pool, this.#patience);
    return new Connection(this.#pool, this.#patience, this.#commits, client);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    (connection as Connection).release();
  }

  beginTransaction(connection: DatabaseConnection): Promise<void> {
    return (connection as Connection).begin();
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return (connection as Connection).commit();
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return (connection as Connection).rollback();
  }
}

/** PostgreSQL's text holds no character 0; the one that stands for what can't be shown takes its place. */
const sendable = (value: unknown): unknown =>
  typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;

class Connection implements DatabaseConnection {
  readonly #pool: Pool;
  readonly #patience: Patience;
  readonly #commits: Commits;
  #client: PoolClient;
  /** The transaction that is open. */
  #transaction: Commit | undefined;
  #broken: Error | undefined;
  #isReleased = false;

  constructor(pool: Pool, patience: Patience, commits: Commits, client: PoolClient) {
    this.#pool = pool;
    this.#patience = patience;
    this.#commits = commits;
    this.#client = client;
  }

  release(): void {
    // Where no other was to be had, it has gone already.
    if (!this.#isReleased) this.#client.release(this.#broken);
    this.#isReleased = true;
  }

  /** @throws NotDone when the transaction it stands in is gone */
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(sendable);
    if (this.#transaction !== undefined) return this.#inTransaction(sql, values);
    return MAY_REPEAT.test(sql) ? this.#again(() => this.#ask(sql, values)) : this.#write(sql, values);
  }

  /** Does what may be done again: on another connection, for some time, where one is lost. */
  async #again<T>(act: () => Promise<T>): Promise<T> {
    const start = performance.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await act();
      } catch (error) {
        if (!isLost(error)) throw error;
        this.#broken = error as Error;
        if (performance.now() > start + this.#patience.ms) throw error;
        // A pooler takes connections before its server is back.
        if (attempt > 0) await sleep(backoff(attempt, PAUSE));
        await this.#renew();
      }
    }
  }

  async #ask<R>(sql: string, values: unknown[]): Promise<QueryResult<R>> {
    try {
      const { command, rowCount, rows } = await this.#client.query(sql, values);
      const writes = ['INSERT', 'UPDATE', 'DELETE'].includes(command);
      return { rows: rows as R[], ...(writes && { numAffectedRows: BigInt(rowCount ?? 0) }) };
    } catch (error) {
      if (isLost(error)) this.#broken = error as Error;
      throw error;
    }
  }

  async #inTransaction<R>(sql: string, values: unknown[]): Promise<QueryResult<R>> {
    try {
      return await this.#ask(sql, values);
    } catch (error) {
      if (!isLost(error) && !wasInTheWay(error)) throw error;
      throw new NotDone('The transaction is gone.', { cause: error });
    }
  }

  /** A write of its own: in a transaction, as only then it is certain whether it was done. */
  async #write<R>(sql: string, values: unknown[]): Promise<QueryResult<R>> {
    const start = performance.now();
    for (let attempt = 0; ; attempt++) {
      try {
        await this.begin();
        const result = await this.#inTransaction<R>(sql, values);
        await this.commit();
        return result;
      } catch (error) {
        await this.rollback();
        if (!(error instanceof NotDone)) throw error;
        if (performance.now() > start + this.#patience.ms) throw error.cause;
        await sleep(backoff(attempt, PAUSE));
        if (this.#broken) await this.#renew();
      }
    }
  }

  // biome-ignore lint/correctness/useYield: nothing here reads row by row
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Rows are read all at once.');
  }

  begin(): Promise<void> {
    return this.#again(async () => {
      const { commit, statement } = this.#commits.next(this.#client);
      try {
        await this.#client.query(`${BEGIN}; ${statement}`);
      } catch (error) {
        // Nobody is to get a connection that may stand in a transaction which has failed.
        this.#broken = error as Error;
        throw error;
      }
      this.#transaction = commit;
    });
  }

  /** @throws NotDone when it was taken back */
  async commit(): Promise<void> {
    const transaction = this.#transaction!;
    try {
      const { command } = await this.#client.query('commit');
      this.#transaction = undefined;
      // The server answers so where an error of before went unnoticed.
      if (command === 'ROLLBACK') throw new Error('The transaction had failed before its end.');
    } catch (error) {
      this.#transaction = undefined;
      if (!isLost(error)) throw error;
      this.#broken = error as Error;
      if (!(await this.#wasDone(transaction)))
        throw new NotDone('The transaction is gone.', { cause: error });
    }
  }

  async rollback(): Promise<void> {
    this.#transaction = undefined;
    if (this.#broken) return;
    try {
      await this.#client.query('rollback');
    } catch (error) {
      this.#broken = error as Error;
      // The first error is the one to be told, and a lost connection has taken everything back.
      if (!isLost(error)) throw error;
    }
  }

  /** What has become of a transaction whose commit was not answered. */
  async #wasDone(transaction: Commit): Promise<boolean> {
    await this.#renew();
    return this.#again(() => this.#commits.has(this.#client, transaction));
  }

  async #renew(): Promise<void> {
    this.release();
    this.#client = await connect(this.#pool, this.#patience);
    this.#isReleased = false;
    this.#broken = undefined;
  }
}
