/** Queries for those who look at runs as a whole: all of them, newest first, and what was said in them. */
import { type SelectQueryBuilder, sql } from 'kysely';
import type { RunStatus } from '../domain/types.ts';
import type { RunsTable, Tables } from './schema.ts';
import type { Db } from './store.ts';

/** What runs are chosen by; what is missing chooses nothing. Times are seconds since 1970. */
export interface RunFilter {
  statuses?: readonly RunStatus[] | undefined;
  assistant?: string | undefined;
  /** Id of the node that a run came from. */
  node?: string | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

const COLUMNS = [
  'seq',
  'id',
  'thread_id',
  'assistant_id',
  'status',
  'created_at',
  'started_at',
  'completed_at',
  'failed_at',
  'cancelled_at',
  'expires_at',
  'usage',
  'last_error',
  'incomplete_details',
] as const satisfies readonly (keyof RunsTable)[];

/** A run without what makes its row long. */
export type SlimRun = Awaited<ReturnType<typeof slimRuns>>[number];

const slim = (db: Db) => db.selectFrom('runs').select(COLUMNS);

/** Runs by their ids. */
export async function slimRuns(db: Db, ids: readonly string[]) {
  return ids.length === 0 ? [] : slim(db).where('id', 'in', ids).execute();
}

/** Runs that can still change, the youngest first: in the order of their index, or all rows would be walked. */
export const activeRuns = (db: Db, limit: number): Promise<SlimRun[]> =>
  slim(db)
    .where('active', '=', sql.lit(1 as const))
    .orderBy('expires_at', 'desc')
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute();

/** The number of the newest run; 0 if there is none. */
export async function newestRun(db: Db): Promise<number> {
  const row = await db.selectFrom('runs').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row?.seq ?? 0;
}

/** The runs with numbers from `from` to below `before` that a filter lets through, newest first. */
export function runsBetween(
  db: Db,
  from: number,
  before: number,
  filter: RunFilter,
  limit: number,
): Promise<SlimRun[]> {
  const { statuses, assistant, node } = filter;
  let query: SelectQueryBuilder<Tables, 'runs', SlimRun> = slim(db)
    .where('seq', '>=', from)
    .where('seq', '<', before);
  if (statuses?.length) query = query.where('status', 'in', [...statuses]);
  if (assistant) query = query.where('assistant_id', '=', assistant);
  if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
  if (node) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('run_origins')
          .select('run_id')
          .whereRef('run_id', '=', 'runs.id')
          .where('node_id', '=', node),
      ),
    );
  }
  return query.orderBy('seq', 'desc').limit(limit).execute();
}

/** Characters of a message's JSON that are read: enough for the first words. */
const HEAD = 1200;
const head = sql<string>`substr(content, 1, ${sql.lit(HEAD)})`.as('head');

/** What runs said: the head of each one's last message, and the number of its first, by run. */
export async function answersOf(
  db: Db,
  runIds: readonly string[],
): Promise<Map<string, { head: string; first: number }>> {
  const answers = new Map<string, { head: string; first: number }>();
  if (runIds.length === 0) return answers;
  const rows = await db
    .selectFrom('messages')
    .select(['run_id', 'seq', head])
    .where('run_id', 'in', runIds)
    .orderBy('seq')
    .execute();
  for (const row of rows) {
    const first = answers.get(row.run_id!)?.first ?? row.seq;
    answers.set(row.run_id!, { head: row.head, first });
  }
  return answers;
}

/** The head of what the user said last before a run's own messages, or before it was made. */
export async function questionOf(db: Db, run: SlimRun, before?: number): Promise<string | undefined> {
  let query = db
    .selectFrom('messages')
    .select(head)
    .where('thread_id', '=', run.thread_id)
    .where('role', '=', 'user');
  query =
    before === undefined ? query.where('created_at', '<=', run.created_at) : query.where('seq', '<', before);
  return (await query.orderBy('seq', 'desc').limit(1).executeTakeFirst())?.head;
}

/**
 * How many functions each of some runs has called. Counted in the JSON's text: quotes inside of arguments are escaped
 * there, so that the mark of a call can't stand in them.
 */
export async function callCounts(db: Db, runIds: readonly string[]): Promise<Map<string, number>> {
  if (runIds.length === 0) return new Map();
  const mark = '"type":"function"';
  const rows = await db
    .selectFrom('steps')
    .select(['run_id', sql<number>`length(details) - length(replace(details, ${mark}, ''))`.as('marks')])
    .where('run_id', 'in', runIds)
    .where('type', '=', 'tool_calls')
    .execute();
  const counts = new Map<string, number>();
  for (const { run_id, marks } of rows) {
    counts.set(run_id, (counts.get(run_id) ?? 0) + Number(marks) / mark.length);
  }
  return counts;
}
