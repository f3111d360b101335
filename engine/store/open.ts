/** Opens a database, whichever it is. */
import { isAddress } from './postgres/address.ts';
import { openPostgres } from './postgres/database.ts';
import { openStore as openFile } from './sqlite/database.ts';
import type { OpenOptions, Store } from './store.ts';

/**
 * @param database path of a SQLite file, `:memory:`, or the address of a database on PostgreSQL
 * @throws EngineStartError
 */
export const openStore = (database: string, options: OpenOptions): Promise<Store> =>
  isAddress(database) ? openPostgres(database, options) : openFile(database);
