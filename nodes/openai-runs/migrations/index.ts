/** What has changed in how the Runs node is saved: one step a version, never edited once it is released. */
import type { Migration } from '../../shared/migrate.ts';
import { toVersion1 } from './1-first.ts';

export const migrations: readonly Migration[] = [toVersion1];

/** The version that today's nodes are saved with. */
export const VERSION = migrations.length;
