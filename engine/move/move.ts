/** Copies all of one database into another, whichever they are, and makes sure that all of it is there. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { EngineLog } from '../domain/log.ts';
import { openStore } from '../store/open.ts';
import { isAddress } from '../store/postgres/address.ts';
import type { Tables } from '../store/schema.ts';
import { atomically, type Db } from '../store/store.ts';
import { Workers } from '../store/workers.ts';

/** In an order in which no row points to one that is not there yet. Signs of life and events on their way stay behind. */
const TABLES = [
  'assistants',
  'threads',
  'messages',
  'runs',
  'steps',
  'idempotency_keys',
  'run_origins',
] as const;
type Moved = (typeof TABLES)[number];
type Row = Record<string, unknown>;

/** What the rows of a table are walked over by. */
const KEY: Record<Moved, 'seq' | 'id' | 'key' | 'run_id'> = {
  assistants: 'seq',
  threads: 'id',
  messages: 'seq',
  runs: 'seq',
  steps: 'seq',
  idempotency_keys: 'key',
  run_origins: 'run_id',
};
/** Rows at once, and bound values of one insert, of which databases take some thirty thousand. */
const ROWS = 500;
const VALUES = 15_000;

export interface MoveOptions {
  /** As EngineOptions.database. */
  from: string;
  to: string;
  /** Hears how far it is. */
  log: EngineLog;
}

export interface Moving {
  rows: Record<Moved, number>;
}

/** A database can't be moved as it is; the message says why. */
export class MoveError extends Error {}

/** One table stands for all: they share the key. */
const tableOf = (table: Moved) => table as 'messages';

async function* walk(db: Db, table: Moved): AsyncGenerator<Row[]> {
  const key = KEY[table] as 'seq';
  let last: number | undefined;
  for (;;) {
    let query = db.selectFrom(tableOf(table)).selectAll().orderBy(key).limit(ROWS);
    if (last !== undefined) query = query.where(key, '>', last);
    const rows = (await query.execute()) as unknown as Row[];
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1)![key] as number;
  }
}

/** Texts as either database holds them: PostgreSQL has no character 0. */
const alike = (value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value);

interface Sum {
  rows: number;
  /** Of all rows, in whichever order a database brings them. */
  hash: string;
}

async function sumOf(db: Db, table: Moved): Promise<Sum> {
  let rows = 0;
  let sum = 0n;
  for await (const batch of walk(db, table)) {
    for (const row of batch) {
      const text = JSON.stringify(
        Object.entries(row)
          .toSorted()
          .map(([name, value]) => [name, alike(value)]),
      );
      sum += BigInt(`0x${createHash('sha256').update(text).digest('hex')}`);
    }
    rows += batch.length;
  }
  return { rows, hash: (sum % 2n ** 256n).toString(16) };
}

const count = async (db: Db, table: Moved, upTo?: number): Promise<number> => {
  let query = db.selectFrom(tableOf(table)).select(({ fn }) => fn.countAll<number>().as('count'));
  if (upTo !== undefined) query = query.where('seq', '<=', upTo);
  return Number((await query.executeTakeFirstOrThrow()).count);
};

/** @throws MoveError where a process is at work */
async function checkIdle(db: Db, name: string): Promise<void> {
  const ids = (await db.selectFrom('workers').select('id').execute()).map(({ id }) => id);
  const dead = await new Workers({ db, workerId: '', clock: Date.now }).dead(ids);
  if (ids.some((id) => !dead.has(id))) {
    throw new MoveError(
      `${name} is in use. Stop every Node-RED that uses it, wait for 20 seconds, and try again.`,
    );
  }
}

/** @throws MoveError where the target holds rows that are not the source's */
async function checkTarget(from: Db, to: Db): Promise<void> {
  for (const table of TABLES) {
    const there = await count(to, table);
    // What belongs to runs is there only with them.
    if (there === 0 || KEY[table] === 'key' || KEY[table] === 'run_id') continue;
    if (KEY[table] === 'id') {
      const some = (await to.selectFrom('threads').select('id').limit(ROWS).execute()).map(({ id }) => id);
      const known = await from.selectFrom('threads').select('id').where('id', 'in', some).execute();
      if (known.length < some.length || there > (await count(from, table))) throw foreign();
      continue;
    }
    const last = await to
      .selectFrom(tableOf(table))
      .select(['seq', 'id'])
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    const same = await from
      .selectFrom(tableOf(table))
      .select('id')
      .where('seq', '=', last.seq)
      .executeTakeFirst();
    if (same?.id !== last.id || there !== (await count(from, table, last.seq))) throw foreign();
  }
}

const foreign = () =>
  new MoveError(
    'The target holds other threads or assistants already. Choose an empty database or another schema.',
  );

async function copy(from: Db, to: Db, table: Moved, log: EngineLog): Promise<void> {
  const all = await count(from, table);
  let done = await count(to, table);
  if (done === all) return;
  done = 0;
  for await (const rows of walk(from, table)) {
    const atOnce = Math.max(1, Math.floor(VALUES / Object.keys(rows[0]!).length));
    await atomically(to, async (trx) => {
      for (let i = 0; i < rows.length; i += atOnce) {
        await trx
          .insertInto(tableOf(table))
          .values(rows.slice(i, i + atOnce) as never)
          // Of an earlier try that was broken off.
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
    });
    done += rows.length;
    log.info(`${table}: ${done} of ${all}`);
  }
}

/** The next row's number comes after those that were copied. */
async function setSequences(to: Db, schema: string): Promise<void> {
  for (const table of TABLES.filter((name) => KEY[name] === 'seq')) {
    await sql`
      select setval(pg_get_serial_sequence(${`"${schema}".${table}`}, 'seq'), greatest(max(seq), 1))
      from ${sql.id(schema, table satisfies keyof Tables)}
    `.execute(to);
  }
}

/**
 * Copies what is not there yet; broken off, it goes on where it was. Nothing of the source is changed.
 * @throws MoveError, EngineStartError with a sentence for the person who moves
 */
export async function moveDatabase({ from, to, log }: MoveOptions): Promise<Moving> {
  const source = await openStore(from, { log });
  try {
    const target = await openStore(to, { log });
    try {
      await checkIdle(source.db, 'The source');
      await checkIdle(target.db, 'The target');
      await checkTarget(source.db, target.db);
      for (const table of TABLES) await copy(source.db, target.db, table, log);
      if (isAddress(to))
        await setSequences(target.db, new URL(to).searchParams.get('schema') || 'openai_runs');
      const rows = {} as Moving['rows'];
      for (const table of TABLES) {
        const [before, after] = [await sumOf(source.db, table), await sumOf(target.db, table)];
        if (before.rows !== after.rows || before.hash !== after.hash) {
          throw new MoveError(
            `The copy of the ${table} is not the same (${before.rows} rows, ${after.rows} in the copy). Empty the target and try again.`,
          );
        }
        rows[table] = after.rows;
        log.info(`${table}: ${after.rows} rows, ${after.hash.slice(0, 12)} on both sides`);
      }
      return { rows };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
