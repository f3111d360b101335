/** What to do while another program holds the file: wait without stopping the process, and say so when it is too long. */
import { sleep } from '../../domain/waits.ts';

/** Milliseconds that SQLite itself waits, and all of Node-RED with it: enough for a lock between two statements. */
export const BLOCKING_WAIT_MS = 20;
/** Milliseconds between two tries after that. */
const PAUSE_MS = 50;
/** Milliseconds until it is given up: backups and checks of large files hold a lock for seconds, not for minutes. */
const LONGEST_WAIT_MS = 30_000;

/** SQLite's primary result codes. */
export const primaryCode = (error: unknown): number | undefined => {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
};

const BUSY = 5;
const LOCKED = 6;

export const isBusy = (error: unknown): boolean => [BUSY, LOCKED].includes(primaryCode(error) ?? -1);

/**
 * Does something with the file, again and again while another program holds it.
 * @param act must have changed nothing when it throws that the file is busy
 * @throws what the last try threw
 */
export async function whenFree<T>(act: () => T | Promise<T>, longest = LONGEST_WAIT_MS): Promise<T> {
  const end = performance.now() + longest;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
