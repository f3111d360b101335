/** Gives the space of deleted rows back to the disk, a little at a time. */
import { sql } from 'kysely';
import type { Db } from '../store.ts';

/** Pages of 4 KB that one step gives back to the disk. */
const PAGES_A_STEP = 500;

/** Gives some free pages back, where the file was made to do so. @returns whether there are more */
export async function giveSpaceBack(db: Db): Promise<boolean> {
  const free = async () => {
    const { rows } = await sql<{ freelist_count: number }>`PRAGMA freelist_count`.execute(db);
    return rows[0]?.freelist_count ?? 0;
  };
  const before = await free();
  if (before === 0) return false;
  await sql`PRAGMA incremental_vacuum(${sql.lit(PAGES_A_STEP)})`.execute(db);
  const left = await free();
  // A file of an earlier version keeps its free pages, and uses them again.
  return left > 0 && left < before;
}
