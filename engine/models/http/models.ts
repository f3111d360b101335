import type { Connection } from './connection.ts';
import { whole } from './frames.ts';

/** The names that `GET /models` lists, in alphabetical order; also Ollama's and bare lists. */
export async function listModels(connection: Connection, signal: AbortSignal): Promise<string[]> {
  const reply = await connection.ask('models', signal);
  const body = (await whole(reply)) as { data?: unknown; models?: unknown } | unknown[] | null;
  const rows = Array.isArray(body) ? body : (body?.data ?? body?.models);
  const names = (Array.isArray(rows) ? rows : []).map((row: { id?: unknown; name?: unknown } | string) =>
    typeof row === 'string' ? row : (row?.id ?? row?.name),
  );
  return names.filter((name) => typeof name === 'string').sort();
}
