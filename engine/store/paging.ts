/** Lists by keyset: the cost of a page does not depend on what stands before it. */
import type { Kysely } from 'kysely';
import { type Kind, notFound } from '../domain/errors.ts';
import type { ListQuery } from '../wire/schemas/queries.ts';
import type { Tables } from './schema.ts';

type Paged = 'assistants' | 'messages' | 'runs' | 'steps';

const KIND: Record<Paged, Kind> = {
  assistants: 'assistant',
  messages: 'message',
  runs: 'run',
  steps: 'run step',
};

export interface Page<Row> {
  rows: Row[];
  hasMore: boolean;
}

/** A place in the list, found again by the id that stands there. */
async function cursor(db: Kysely<Tables>, table: Paged, where: Partial<Record<string, string>>, id: string) {
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
 * `before` alone gives the items that stand directly before it, in the order asked for (lifecycle.md §4).
 * @param where columns that all items share, e.g. `{ thread_id }`.
 * @throws ApiError 404 for a cursor that is not in the list.
 */
export async function page<T extends Paged, Row extends { seq: number }>(
  db: Kysely<Tables>,
  table: T,
  where: Partial<Record<string, string>>,
  { limit, order, after, before }: ListQuery,
): Promise<Page<Row>> {
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
    .execute()) as unknown as Row[];
  const hasMore = rows.length > limit;
  if (hasMore) rows.pop();
  if (backwards) rows.reverse();
  return { rows, hasMore };
}

/** The wire's list object; ids of an empty list are null (lifecycle.md §1). */
export function listObject<Item extends { id: string }>(data: Item[], hasMore: boolean) {
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
