import type { Kysely } from 'kysely';
import { newId } from '../domain/ids.ts';
import type { CreateAssistant, ModifyAssistant } from '../wire/schemas/bodies.ts';
import type { AssistantRow, Tables } from './schema.ts';
import { storedResources } from './threads.ts';

export const findAssistant = (db: Kysely<Tables>, id: string): Promise<AssistantRow | undefined> =>
  db.selectFrom('assistants').selectAll().where('id', '=', id).executeTakeFirst();

/** The columns of a body; fields it does not name keep their default. */
function columnsOf(body: CreateAssistant) {
  return {
    name: body.name ?? null,
    description: body.description ?? null,
    model: body.model,
    instructions: body.instructions ?? null,
    tools: JSON.stringify(body.tools ?? []),
    tool_resources: storedResources(body.tool_resources),
    metadata: JSON.stringify(body.metadata ?? {}),
    temperature: body.temperature ?? null,
    top_p: body.top_p ?? null,
    response_format: JSON.stringify(body.response_format ?? 'auto'),
    reasoning_effort: body.reasoning_effort ?? null,
  };
}

export const insertAssistant = (
  db: Kysely<Tables>,
  body: CreateAssistant,
  now: number,
): Promise<AssistantRow> =>
  db
    .insertInto('assistants')
    .values({ id: newId('asst'), created_at: now, ...columnsOf(body) })
    .returningAll()
    .executeTakeFirstOrThrow();

/** Changes what the body names and nothing else. */
export function updateAssistant(
  db: Kysely<Tables>,
  id: string,
  body: ModifyAssistant,
): Promise<AssistantRow | undefined> {
  const columns = columnsOf({ model: '', ...body });
  const named = Object.entries(columns).filter(
    ([column]) => body[column as keyof ModifyAssistant] !== undefined,
  );
  if (named.length === 0) return findAssistant(db, id);
  return db
    .updateTable('assistants')
    .set(Object.fromEntries(named))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Creates a declared assistant, or brings it up to date; id and created_at stay for good. */
export async function declareAssistant(
  db: Kysely<Tables>,
  id: string,
  body: CreateAssistant,
  now: number,
): Promise<void> {
  const columns = columnsOf(body);
  await db
    .insertInto('assistants')
    .values({ id, created_at: now, ...columns })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
    .execute();
}
