/** What servers tell of their models beyond names: each kind of server in its own places. */
import type { ProviderConnection } from './connection.ts';
import { whole } from './frames.ts';

/** Milliseconds that all questions about one fact may take. */
const PATIENCE_MS = 3_000;
/** Characters of an answer: a list of many models. */
const MOST_CHARACTERS = 8 * 2 ** 20;

export type Fields = Record<string, unknown>;

/** Asks one place of a server; undefined where there is none: another kind of server. Throws when the caller gives up. */
export type AskServer = (path: string, body?: object) => Promise<unknown>;

/** @param signal ends the questions, with its reason */
export function askServer(connection: ProviderConnection, signal: AbortSignal): AskServer {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  return async (path, body) => {
    try {
      return await whole(await connection.ask(path, limit, body), MOST_CHARACTERS);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  };
}

/** Whether a host is this machine or in a network of one's own. */
export function isLocal(hostname: string): boolean {
  return (
    /^(localhost|host\.docker\.internal|\[::1\]|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(
      hostname,
    ) ||
    hostname.endsWith('.local') ||
    !hostname.includes('.')
  );
}

export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** The entry of a model in a list, whatever the list and the name are called. */
export function rowOf(answer: unknown, model: string): Fields {
  const { data, models } = fieldsOf(answer);
  const rows = Array.isArray(answer) ? answer : (data ?? models);
  if (!Array.isArray(rows)) return {};
  const names = [model, `${model}:latest`];
  return fieldsOf(rows.find((row) => names.includes(String(row?.id ?? row?.name ?? row?.model))));
}
