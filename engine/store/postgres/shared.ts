/** What the processes on one database share: its clock, words to each other, events on their way, one housekeeper. */
import { sql } from 'kysely';
import type { Shared, ToldEvent } from '../shared.ts';
import { type Db, NotDone } from '../store.ts';
import { type Bell, payloads } from './bell.ts';

/** Minutes that the events of an ended run are kept for readers who come back. */
const KEPT_MINUTES = 5;
const RUNS_A_STEP = 200;

export interface SharedOptions {
  db: Db;
  schema: string;
  bell: Bell;
}

export function makeShared({ db, schema, bell }: SharedOptions): Shared {
  const runs = sql.id(schema, 'runs');
  const events = sql.id(schema, 'events');
  const commits = sql.id(schema, 'commits');
  /** The database's time at a moment of this process, whose own count goes on evenly whatever its clock is set to. */
  let known = { time: Date.now(), at: performance.now() };

  return {
    clock: () => known.time + performance.now() - known.at,

    async setClock() {
      const before = performance.now();
      const { rows } = await sql<{ time: number }>`
        select (extract(epoch from clock_timestamp()) * 1000)::float8 as time
      `.execute(db);
      const after = performance.now();
      known = { time: rows[0]!.time, at: (before + after) / 2 };
    },

    get hears() {
      return bell.hears;
    },

    onRing: (hear) => bell.onRing(hear),

    async ring(on, word, ids) {
      for (const text of payloads(bell.sender, word, ids)) {
        await sql`select pg_notify(${schema}, ${text})`.execute(on);
      }
    },

    async alone(work) {
      try {
        return await db.transaction().execute(async (trx) => {
          // One that stands still gives the lock back soon.
          await sql`set local idle_in_transaction_session_timeout = '3s'`.execute(trx);
          const { rows } = await sql<{ got: boolean }>`
            select pg_try_advisory_xact_lock(hashtextextended(${`openai_runs.${schema}.sweep`}, 0)) as got
          `.execute(trx);
          if (!rows[0]?.got) return false;
          await work();
          return true;
        });
      } catch (error) {
        // The lock was lost on the way, not what was done meanwhile.
        if (error instanceof NotDone) return true;
        throw error;
      }
    },

    async tellEvents(on, told, lazily = false) {
      const wait = lazily ? sql`, set_config('synchronous_commit', 'off', true)` : sql``;
      const column = (name: keyof ToldEvent) => told.map((event) => event[name]);
      const ids = [...new Set(told.map(({ run_id }) => run_id))];
      await sql`
        with told as (
          insert into ${events} (run_id, seq, event, data, ends)
          select n.run_id, n.seq, n.event, n.data, n.ends
          from unnest(
            ${column('run_id')}::text[], ${column('seq')}::bigint[], ${column('event')}::text[],
            ${column('data')}::text[], ${column('ends')}::boolean[], ${column('attempt')}::integer[]
          ) as n (run_id, seq, event, data, ends, attempt)
          join (select id, attempt from ${runs} where id = any(${ids}::text[]) order by id for share) r
            on r.id = n.run_id and r.attempt = n.attempt
          on conflict do nothing
          returning run_id
        )
        select pg_notify(${schema}, ${`${bell.sender} events `} || string_agg(distinct run_id, ','))${wait}
        from told having count(*) > 0
      `.execute(on);
    },

    async tidy() {
      await sql`
        delete from ${events} where run_id in (
          select e.run_id from ${events} e join ${runs} r on r.id = e.run_id and r.active = 0
          where e.ends and e.at < clock_timestamp() - make_interval(mins => ${KEPT_MINUTES})
          limit ${sql.lit(RUNS_A_STEP)}
        )
      `.execute(db);
      await sql`delete from ${commits} where at < clock_timestamp() - interval '1 day'`.execute(db);
    },
  };
}
