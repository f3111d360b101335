/** Lists by keyset: the cost of a page does not depend on what stands before it. */
import { type Kind, notFound } from '../domain/errors.ts';
import { fromRow, type Row, type Stored } from './records.ts';
import type { Db } from './store.ts';

type Paged = 'assistants' | 'messages' | 'runs' | 'steps';

/** What a list is asked for; `after` and `before` are ids of items in it. */
export interface PageQuery {
  /** Items at most. */
  limit: number;
  order: 'asc' | 'desc';
  after?: string | undefined;
  before?: string | undefined;
}

const KIND: Record<Paged, Kind> = {
  assistants: 'assistant',
  messages: 'message',
  runs: 'run',
  steps: 'run step',
};

export interface Page<Item> {
  items: Item[];
  hasMore: boolean;
}

/** A place in the list, found again by the id that stands there. */
async function cursor(db: Db, table: Paged, where: Partial<Record<string, string>>, id: string) {
  // One table stands for all: they share `seq` and `id`.
  let query = db
    .selectFrom(table as 'messages')
    .select('seq')
    .where('id', '=', id);
  for (const [column, value] of Object.entries(where)) query = query.where(column as 'run_id', '=', value!);
  const row = await query.executeTakeFirst();
  if (!row) throw notFound(KIND[table], id);
  return row.seq;
}

/**
 * One page of a table in the order of insertion.
 * `before` alone gives the items that stand directly before it, in the order asked for.
 * @param where columns that all items share, e.g. `{ thread_id }`.
 * @throws ApiError 404 for a cursor that is not in the list.
 */
export async function page<T extends Paged>(
  db: Db,
  table: T,
  where: Partial<Record<string, string>>,
  { limit, order, after, before }: PageQuery,
): Promise<Page<Stored<T>>> {
  const backwards = before !== undefined && after === undefined;
  const ascending = (order === 'asc') !== backwards;
  let query = db.selectFrom(table as 'messages').selectAll();
  for (const [column, value] of Object.entries(where)) query = query.where(column as 'run_id', '=', value!);
  if (after !== undefined) {
    query = query.where('seq', order === 'asc' ? '>' : '<', await cursor(db, table, where, after));
  }
  if (before !== undefined) {
    query = query.where('seq', order === 'asc' ? '<' : '>', await cursor(db, table, where, before));
  }
  // One more than asked for tells whether there is more.
  const rows = (await query
    .orderBy('seq', ascending ? 'asc' : 'desc')
    .limit(limit + 1)
    .execute()) as unknown as Row<T>[];
  const hasMore = rows.length > limit;
  if (hasMore) rows.pop();
  if (backwards) rows.reverse();
  return { items: rows.map((row) => fromRow(table, row)), hasMore };
}
