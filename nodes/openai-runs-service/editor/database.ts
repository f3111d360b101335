/** The rows of the database: where it is, and what that needs. */
import { addressOf, isServer, placeOf, SECRET_ADDRESS, type ServerPlace } from '../database-address.ts';
import { ask } from './ask.ts';
import { entered, input, list } from './fields.ts';
import { text } from './i18n.ts';

const PLACE_FIELDS = ['host', 'port', 'name', 'user', 'schema'] as const;

const field = (name: (typeof PLACE_FIELDS)[number]) => list(`database-${name}`);

/** Which choice a saved database is. */
function choiceOf(saved: string): string {
  if (saved === '') return 'default';
  if (saved === ':memory:') return 'memory';
  if (saved === SECRET_ADDRESS) return 'address';
  return isServer(saved) ? 'postgres' : 'file';
}

export function prepareDatabase(saved: string): void {
  const choice = choiceOf(saved);
  list('database-place').val(choice);
  if (choice !== 'file') input('database').val('');
  const place = placeOf(choice === 'postgres' ? saved : '');
  for (const name of PLACE_FIELDS) field(name).val(place[name]);
}

/** As it is saved: empty for the default place. */
export function database(): string {
  switch (list('database-place').val()) {
    case 'memory':
      return ':memory:';
    case 'file':
      return entered('database');
    case 'address':
      return SECRET_ADDRESS;
    case 'postgres': {
      const typed = PLACE_FIELDS.map((name) => [name, String(field(name).val() ?? '').trim()]);
      return addressOf(Object.fromEntries(typed) as ServerPlace);
    }
    default:
      return '';
  }
}

/** Which rows are shown. */
export function databaseParts(embedded: boolean): Record<string, boolean> {
  const choice = list('database-place').val();
  return {
    databaseFile: embedded && choice === 'file',
    databasePlace: embedded && choice === 'postgres',
    databaseUrl: embedded && choice === 'address',
    databaseTls: embedded && (choice === 'postgres' || choice === 'address'),
  };
}

interface Found {
  file?: string;
  server?: string;
  bytes?: number;
  threads?: number;
  runs?: number;
}

/** Says where the runtime keeps the database, and how large it is. */
export async function showDatabase(id: string): Promise<void> {
  const hint = list('database-hint').text('');
  const found = await ask<Found>(id, 'database', { database: database() });
  const { file, server, bytes, threads = 0, runs = 0 } = found ?? {};
  if (server) hint.text(text('hint.databaseServer', { server, threads, runs }));
  if (!file) return;
  const key = bytes === undefined ? 'hint.databaseAt' : bytes > 0 ? 'hint.databaseSize' : 'hint.databaseNew';
  hint.text(text(key, { file, size: ((bytes ?? 0) / 1024).toFixed(0), threads, runs }));
}
