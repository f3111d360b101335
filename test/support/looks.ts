/** What is told from process to process, told apart from what a look every second would find as well. */

/** Milliseconds between two looks of the engine at what others have changed. */
const LOOK_MS = 1000;

/**
 * A test during which nobody begins to look every second: what has been changed elsewhere is heard of, or never.
 * @param test is to fail, or wait for ever, where a word does not come through
 */
export function withoutLooks(test: () => Promise<void>): () => Promise<void> {
  return async () => {
    const real = { setTimeout, setInterval };
    const never = () => {};
    const without = <Timer extends typeof setTimeout | typeof setInterval>(timer: Timer): Timer =>
      Object.assign(
        (run: () => void, ms?: number, ...given: []) => timer(ms === LOOK_MS ? never : run, ms, ...given),
        timer,
      ) as Timer;
    globalThis.setTimeout = without(setTimeout);
    globalThis.setInterval = without(setInterval);
    try {
      await test();
    } finally {
      Object.assign(globalThis, real);
    }
  };
}
