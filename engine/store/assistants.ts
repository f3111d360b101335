/** Queries on assistants. */
import { type AssistantRecord, fromRow, toRow } from './records.ts';
import type { Db } from './store.ts';

/** All that can be set on an assistant. */
export type AssistantFields = Omit<AssistantRecord, 'seq' | 'id' | 'created_at'>;

export async function findAssistant(db: Db, id: string): Promise<AssistantRecord | undefined> {
  const row = await db.selectFrom('assistants').selectAll().where('id', '=', id).executeTakeFirst();
  return row && fromRow('assistants', row);
}

/** Assistants of an id or a name: that of the id first, then in the order they were made. */
export async function assistantsNamed(db: Db, idOrName: string): Promise<AssistantRecord[]> {
  const byId = await findAssistant(db, idOrName);
  if (byId) return [byId];
  const rows = await db
    .selectFrom('assistants')
    .selectAll()
    .where('name', '=', idOrName)
    .orderBy('seq')
    .execute();
  return rows.map((row) => fromRow('assistants', row));
}

export async function insertAssistant(
  db: Db,
  assistant: Omit<AssistantRecord, 'seq'>,
): Promise<AssistantRecord> {
  const row = await db
    .insertInto('assistants')
    .values(toRow('assistants', assistant))
    .returningAll()
    .executeTakeFirstOrThrow();
  return fromRow('assistants', row);
}

/** @returns the assistant as it is now; undefined if there is none */
export async function updateAssistant(
  db: Db,
  id: string,
  changes: Partial<AssistantFields>,
): Promise<AssistantRecord | undefined> {
  if (Object.keys(changes).length === 0) return findAssistant(db, id);
  const row = await db
    .updateTable('assistants')
    .set(toRow('assistants', changes))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row && fromRow('assistants', row);
}

/** Creates an assistant under a given id, or brings it up to date; id and created_at stay for good. */
export async function declareAssistant(
  db: Db,
  id: string,
  fields: AssistantFields,
  now: number,
): Promise<void> {
  const columns = toRow('assistants', fields);
  await db
    .insertInto('assistants')
    .values({ id, created_at: now, ...columns })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
    .execute();
}

/** @returns whether there was one */
export async function deleteAssistant(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('assistants').where('id', '=', id).executeTakeFirst();
  return numDeletedRows > 0n;
}
