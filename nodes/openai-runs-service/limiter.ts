/** Lets a number of runs in at once; the rest wait in the order they came. */
export class Limiter {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  private readonly most: number;

  /** @param most how many at once; 0 = no limit */
  constructor(most: number) {
    this.most = most;
  }

  /**
   * Waits for a place.
   * @param signal gives up waiting; the promise is then rejected with the signal's reason
   * @param onWait called if there is no place yet
   * @returns gives the place back; calling it twice does no harm
   */
  async enter(signal: AbortSignal, onWait?: () => void): Promise<() => void> {
    signal.throwIfAborted();
    if (this.most > 0 && this.inside >= this.most) {
      onWait?.();
      await this.turn(signal);
    } else {
      this.inside += 1;
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      // The place goes straight to the next in line, so that nobody slips in between.
      const next = this.waiting.shift();
      if (next) next();
      else this.inside -= 1;
    };
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = () => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      this.waiting.push(go);
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}
