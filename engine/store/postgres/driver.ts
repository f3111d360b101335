/** Kysely's way to PostgreSQL: a small pool, connections that may be lost, transactions whose end is certain. */
import {
  CompiledQuery,
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
import { isLost, wasInTheWay } from './faults.ts';

/** Milliseconds that a server which is away is waited for. */
const LONGEST_WAIT_MS = 30_000;
/**
 * A process that stands still in the middle of a transaction must not hold its locks for ever. The transaction's own
 * number tells later whether it was done, should the answer to the commit be lost.
 */
const BEGIN =
  "begin; set local idle_in_transaction_session_timeout = '10s'; select pg_current_xact_id()::text as xid";

/** Looks can be taken again; so can what begins with a `with`, which is written so that it can. */
const MAY_REPEAT = /^\s*(select|with|set)\b/i;

/** How long a server that is away is waited for; less once the service is to close. */
export interface Patience {
  ms: number;
}

export const patient = (): Patience => ({ ms: LONGEST_WAIT_MS });

/** A dialect on a pool; ending the pool is the opener's. */
export const postgresDialect = (pool: Pool, patience: Patience): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new PostgresDriver(pool, patience),
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
      await sleep(backoff(attempt, { first: 100, longest: 2000 }));
    }
  }
}

class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #patience: Patience;

  constructor(pool: Pool, patience: Patience) {
    this.#pool = pool;
    this.#patience = patience;
  }

  async init(): Promise<void> {}
  async destroy(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new Connection(this.#pool, this.#patience, await connect(this.#pool, this.#patience));
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
  #client: PoolClient;
  /** The transaction that is open, by its number. */
  #transaction: string | undefined;
  #broken: Error | undefined;

  constructor(pool: Pool, patience: Patience, client: PoolClient) {
    this.#pool = pool;
    this.#patience = patience;
    this.#client = client;
  }

  release(): void {
    this.#client.release(this.#broken);
  }

  /** @throws NotDone when the transaction it stands in is gone */
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(sendable);
    if (this.#transaction !== undefined) return this.#inTransaction(sql, values);
    if (!MAY_REPEAT.test(sql)) return this.#write(sql, values);
    for (;;) {
      try {
        return await this.#ask(sql, values);
      } catch (error) {
        if (!isLost(error)) throw error;
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
        await sleep(backoff(attempt, { first: 100, longest: 2000 }));
        if (this.#broken) await this.#renew();
      }
    }
  }

  // biome-ignore lint/correctness/useYield: nothing here reads row by row
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Rows are read all at once.');
  }

  async begin(): Promise<void> {
    for (;;) {
      try {
        const results = (await this.#client.query(BEGIN)) as unknown as { rows: { xid: string }[] }[];
        this.#transaction = results.at(-1)!.rows[0]!.xid;
        return;
      } catch (error) {
        if (!isLost(error)) throw error;
        this.#broken = error as Error;
        await this.#renew();
      }
    }
  }

  /** @throws NotDone when it was taken back */
  async commit(): Promise<void> {
    const xid = this.#transaction!;
    try {
      const { command } = await this.#client.query('commit');
      this.#transaction = undefined;
      // The server answers so where an error of before went unnoticed.
      if (command === 'ROLLBACK') throw new Error('The transaction had failed before its end.');
    } catch (error) {
      this.#transaction = undefined;
      if (!isLost(error)) throw error;
      this.#broken = error as Error;
      if (!(await this.#wasDone(xid))) throw new NotDone('The transaction is gone.', { cause: error });
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
  async #wasDone(xid: string): Promise<boolean> {
    for (;;) {
      await this.#renew();
      const { rows } = await this.executeQuery<{ status: string }>(
        CompiledQuery.raw('select pg_xact_status($1::xid8) as status', [xid]),
      );
      const status = rows[0]?.status;
      if (status !== 'in progress') return status === 'committed';
      // The server has not yet noticed that nobody is there any more.
      await sleep(50);
    }
  }

  async #renew(): Promise<void> {
    this.#client.release(this.#broken ?? true);
    this.#client = await connect(this.#pool, this.#patience);
    this.#broken = undefined;
  }
}
