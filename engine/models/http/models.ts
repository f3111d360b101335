/** What a provider says of its models. */
import type { ProviderConnection } from './connection.ts';
import { whole } from './frames.ts';

/** Names that are taken of a list: more than any provider has, and few enough to be shown. */
const MOST_NAMES = 10_000;
/** Characters of a list: ten times the longest there are, and read in one go without a noticeable pause. */
const MOST_CHARACTERS = 8 * 2 ** 20;

interface Row {
  id?: unknown;
  name?: unknown;
  owned_by?: unknown;
}

/** The list of one provider, asked anew each time; remembers whether names beyond it are taken. */
export class ModelList {
  /** llama.cpp answers with the model it has loaded, whatever it is asked for; Azure lists no deployments. */
  takesAnyName = false;

  /** The names that `GET /models` lists, in alphabetical order; also Ollama's and bare lists. */
  async names(connection: ProviderConnection, signal: AbortSignal): Promise<string[]> {
    const reply = await connection.ask('models', signal);
    const body = (await whole(reply, MOST_CHARACTERS)) as
      | { data?: unknown; models?: unknown }
      | unknown[]
      | null;
    const found = Array.isArray(body) ? body : (body?.data ?? body?.models);
    const rows: (Row | string | null)[] = Array.isArray(found) ? found : [];
    this.takesAnyName =
      connection.base.hostname.endsWith('.azure.com') ||
      rows.some((row) => typeof row === 'object' && row?.owned_by === 'llamacpp');
    const names = rows.map((row) => (typeof row === 'string' ? row : (row?.id ?? row?.name)));
    return names
      .filter((name) => typeof name === 'string')
      .slice(0, MOST_NAMES)
      .sort();
  }
}
