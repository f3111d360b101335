/** Opens a database on PostgreSQL and brings its schema to this version's format. */
import type { ConnectionOptions } from 'node:tls';
import { Kysely, sql } from 'kysely';
import type { Client, ClientConfig, Pool } from 'pg';
import { EngineStartError } from '../../domain/errors.ts';
import { backoff, sleep } from '../../domain/waits.ts';
import type { Tables } from '../schema.ts';
import type { OpenOptions, Store } from '../store.ts';
import { type Address, readAddress } from './address.ts';
import { Bell } from './bell.ts';
import { connect, patient, postgresDialect } from './driver.ts';
import { isLost, isUniqueViolation, postgresFault, startFault } from './faults.ts';
import { MIGRATIONS } from './migrations.ts';
import { makeShared } from './shared.ts';

/** Connections of one process at most; one more listens. */
const CONNECTIONS = 10;
/** Milliseconds without an answer after which a connection counts as lost. */
const ANSWER_MS = 60_000;
const CONNECT_MS = 10_000;
const LISTENER_MS = 10_000;
/** Milliseconds that the first connection is waited for: whoever starts a service wants to know soon. */
const FIRST_WAIT_MS = 5_000;
/** The oldest version that is known to work, as `server_version_num` has it. */
const OLDEST_SERVER = 140_000;
/** Milliseconds that a server which is away is waited for once the service is to close. */
const LAST_WAIT_MS = 2_000;
const INT8 = 20;

type Library = typeof import('./pg.ts');

/** What every connection is made with; nothing is taken from the environment. */
function configOf(
  { types }: Library,
  { host, port, user, password, database, schema, ssl }: Address,
): ClientConfig {
  return {
    host,
    port,
    user,
    // A function, as an empty text would be looked up in the environment and in files.
    password: () => password,
    database,
    ssl,
    application_name: `openai-runs ${schema}`,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    types: {
      // Numbers of rows and times stay far below 2^53.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : types.getTypeParser(oid, format as 'text'),
    } as ClientConfig['types'],
  };
}

/** What the schema holds: its format, or nothing yet. */
async function formatOf(client: Pick<Client, 'query'>, schema: string): Promise<number | undefined> {
  // Not to_regclass: in a transaction it goes on saying what it said before the lock.
  const found = await client.query(
    "select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = 'format'",
    [schema],
  );
  if (found.rows.length === 0) return undefined;
  const { rows } = await client.query(`select version from "${schema}".format`);
  return rows[0]?.version;
}

/** @throws EngineStartError for a schema that a newer version of this package has written */
function refuseNewer(
  format: number | undefined,
  { schema, place }: Pick<Address, 'schema' | 'place'>,
  known: number,
): number | undefined {
  if (format === undefined || format <= known) return format;
  throw new EngineStartError('newer', { file: `${place} (${schema})`, format, known });
}

/**
 * Applies what is missing, all or nothing, one process at a time.
 * @param known the steps of this version; for tests
 */
export async function migrate(
  client: Pick<Client, 'query'>,
  { schema, place }: Pick<Address, 'schema' | 'place'>,
  known: readonly string[] = MIGRATIONS,
): Promise<void> {
  const wanted = (format: number | undefined) => refuseNewer(format, { schema, place }, known.length);
  if (wanted(await formatOf(client, schema)) === known.length) return;
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`openai_runs.${schema}`]);
    // Looked at again under the lock: another process may have been first.
    const format = wanted(await formatOf(client, schema));
    if (format === undefined) {
      const there = await client.query('select 1 from pg_namespace where nspname = $1', [schema]);
      if (there.rows.length === 0) await client.query(`create schema "${schema}"`);
      await client.query(`create table "${schema}".format (version integer not null)`);
      await client.query(`insert into "${schema}".format values (0)`);
    }
    await client.query(`set local search_path to "${schema}"`);
    for (const statements of known.slice(format ?? 0)) await client.query(statements);
    await client.query(`update "${schema}".format set version = ${known.length}`);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** Again for a while, where the connection is lost on the way. */
async function patiently(act: () => Promise<void>): Promise<void> {
  const end = performance.now() + FIRST_WAIT_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (!isLost(error) || performance.now() > end) throw error;
      await sleep(backoff(attempt, { first: 100, longest: 1000 }));
    }
  }
}

/** @throws EngineStartError for a server that is too old. @returns its version, as `server_version_num` has it */
async function checkServer(client: Pick<Client, 'query'>, place: string): Promise<number> {
  const { rows } = await client.query("select current_setting('server_version_num')::int as version");
  const { version } = rows[0];
  if (version < OLDEST_SERVER)
    throw new EngineStartError('oldServer', { place, version: Math.floor(version / 10_000) });
  return version;
}

/**
 * Looks whether a database could be used; nothing is made there.
 * @returns the server's version, such as 18.4
 * @throws EngineStartError
 */
export async function probeDatabase(text: string, tls?: ConnectionOptions): Promise<{ version: string }> {
  const address = readAddress(text, tls);
  const { place, schema, user } = address;
  const library = await import('./pg.ts');
  const client = new library.Client({ ...configOf(library, address), query_timeout: CONNECT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    const version = await checkServer(client, place);
    const format = await formatOf(client, schema);
    refuseNewer(format, address, MIGRATIONS.length);
    const { rows } = await client.query(
      `select case when exists (select 1 from pg_namespace where nspname = $1) then has_schema_privilege($1, 'create')
       else has_database_privilege(current_database(), 'create') end as may`,
      [schema],
    );
    if (!rows[0].may) throw new EngineStartError('noRights', { place, user, reason: `schema ${schema}` });
    return { version: `${Math.floor(version / 10_000)}.${version % 10_000}` };
  } catch (error) {
    throw startFault(error, address);
  } finally {
    await client.end().catch(() => {});
  }
}

async function prepare(pool: Pool, address: Address): Promise<void> {
  const client = await connect(pool, { ms: 0 });
  let broken = true;
  try {
    await checkServer(client, address.place);
    await migrate(client, address);
    broken = false;
  } finally {
    client.release(broken);
  }
}

/**
 * Opens the database, and makes or updates the schema.
 * @param text see address.ts
 * @throws EngineStartError; a schema that is newer has not been written to
 */
export async function openPostgres(text: string, { tls, log }: OpenOptions): Promise<Store> {
  const address = readAddress(text, tls);
  const library = await import('./pg.ts');
  const config = configOf(library, address);
  const pool = new library.Pool({ ...config, max: CONNECTIONS, query_timeout: ANSWER_MS });
  // A connection that is lost while nobody uses it, or while somebody does: the query that needs it will tell.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    await patiently(() => prepare(pool, address));
  } catch (error) {
    await pool.end();
    throw startFault(error, address);
  }
  const patience = patient();
  const { schema } = address;
  const dialect = postgresDialect({ pool, patience, schema });
  const db = new Kysely<Tables>({ dialect }).withSchema(schema);
  const bell = new Bell({
    newClient: () => new library.Client({ ...config, query_timeout: LISTENER_MS }),
    channel: schema,
    notify: async (text) => void (await sql`select pg_notify(${schema}, ${text})`.execute(db)),
    log,
  });
  const shared = makeShared({ db, schema, bell });
  try {
    await patiently(() => bell.open());
    await shared.setClock();
  } catch (error) {
    await bell.close();
    await pool.end();
    throw startFault(error, address);
  }
  return {
    db,
    fault: postgresFault,
    isUniqueViolation,
    // The server's own housekeeping does that.
    giveSpaceBack: async () => false,
    shared,
    hurry() {
      patience.ms = LAST_WAIT_MS;
    },
    async close() {
      await bell.close();
      await db.destroy();
      await pool.end();
    },
  };
}
