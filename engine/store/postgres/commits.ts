/** What tells whether a transaction was done, should the answer to its commit be lost. */
import { randomBytes } from 'node:crypto';
import type { PoolClient } from 'pg';

/** A transaction: the connection that it is of, and its number there. */
export interface Commit {
  connection: string;
  number: number;
}

const newConnectionId = () => randomBytes(12).toString('hex');

/**
 * Every transaction of a connection writes its number into the connection's row, which goes with it or not at all. (The
 * server's own numbers, pg_xact_status, do not tell: after a crash it gives those that it had not yet written down to
 * others.)
 */
export class Commits {
  readonly #table: string;
  readonly #last = new WeakMap<PoolClient, Commit>();

  constructor(schema: string) {
    this.#table = `"${schema}".commits`;
  }

  /** What a transaction begins with; its row is locked until it is over. */
  next(client: PoolClient): { commit: Commit; statement: string } {
    const { connection, number } = this.#last.get(client) ?? { connection: newConnectionId(), number: 0 };
    const commit = { connection, number: number + 1 };
    this.#last.set(client, commit);
    const statement = `insert into ${this.#table} (connection, number) values ('${connection}', ${commit.number})
      on conflict (connection) do update set number = excluded.number, at = clock_timestamp()`;
    return { commit, statement };
  }

  /** Whether it was done; waits for it, should the server not have noticed yet that its connection is gone. */
  async has(client: PoolClient, { connection, number }: Commit): Promise<boolean> {
    const { rows } = await client.query(
      `insert into ${this.#table} as c (connection, number) values ($1, 0)
       on conflict (connection) do update set at = clock_timestamp() returning c.number`,
      [connection],
    );
    return rows[0].number === number;
  }
}
