/** Nodes begin to say their version; nothing else has changed since the first release. */
import type { Migration } from '../../shared/migrate.ts';

export const toVersion1: Migration = () => ({});
