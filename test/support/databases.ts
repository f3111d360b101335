/** The databases that tests run on: a suite is written once and runs on each. */
import pg from 'pg';
import { testPostgres } from './postgres-server.ts';

export type DatabaseKind = 'SQLite' | 'PostgreSQL';

let current: DatabaseKind = 'SQLite';

/** What the suite that runs now is to open. */
export const currentDatabase = (): DatabaseKind => current;

/** As `describe`, once for each database. */
export function onEachDatabase(title: string, suite: (this: Mocha.Suite, kind: DatabaseKind) => void): void {
  for (const kind of ['SQLite', 'PostgreSQL'] as const) {
    describe(`${title}, on ${kind}`, function () {
      before(async function () {
        this.timeout(60_000);
        current = kind;
        if (kind === 'PostgreSQL') await testPostgres();
      });
      after(() => {
        current = 'SQLite';
      });
      suite.call(this, kind);
    });
  }
}

let count = 0;

/** The address of a schema that nobody else uses; it is made when it is opened. */
export async function newSchema(): Promise<string> {
  const url = new URL(await testPostgres());
  url.searchParams.set('schema', `test_${process.pid}_${Date.now().toString(36)}_${count++}`);
  return url.href;
}

/** Does something on the tests' server beside the engine. */
export async function withPostgres<T>(address: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const url = new URL(address);
  const schema = url.searchParams.get('schema');
  url.search = '';
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    if (schema) await client.query(`set search_path to "${schema}"`);
    return await work(client);
  } finally {
    await client.end();
  }
}

export const dropSchemas = (addresses: string[]): Promise<void> =>
  addresses.length === 0
    ? Promise.resolve()
    : withPostgres(addresses[0]!, async (client) => {
        for (const address of addresses) {
          const schema = new URL(address).searchParams.get('schema');
          await client.query(`drop schema if exists "${schema}" cascade`);
        }
      });
