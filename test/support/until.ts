/** Waiting in tests for what happens in its own time. */

/** Milliseconds after which it is given up, so that a failed test leaves nothing running. */
const LONGEST_MS = 15_000;

type Maybe<T> = T | false | undefined;

/** Resolves with what a look finds, once it finds something. */
export async function until<T>(look: () => Maybe<T> | Promise<Maybe<T>>, longest = LONGEST_MS): Promise<T> {
  for (const end = performance.now() + longest; performance.now() < end; ) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never came true: ${look}`);
}
