/** A request with a key against repeating makes a run once, however often it comes, on whichever machine. */
import type { Service } from '../service.ts';
import { runMadeBy } from '../store/keys.ts';
import type { RunRecord } from '../store/records.ts';
import type { Started } from './create.ts';

/**
 * @param key undefined for a request without one
 * @param make makes the run and keeps the key with it
 * @returns what was made now, or the run that an earlier request has made
 */
export async function once(
  { store }: Service,
  key: string | undefined,
  make: () => Promise<Started>,
): Promise<Started | { run: RunRecord; log: undefined }> {
  const before = key && (await runMadeBy(store.db, key));
  if (before) return { run: before, log: undefined };
  try {
    return await make();
  } catch (error) {
    // The same request came twice at once: the other one has made it, and has the thread.
    const meanwhile = key && (await runMadeBy(store.db, key));
    if (meanwhile) return { run: meanwhile, log: undefined };
    throw error;
  }
}
