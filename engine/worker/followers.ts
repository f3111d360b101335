/** Those in this process who follow runs that others have in hand: they are woken when there is something new. */
export class Followers {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Calls back once when a run has news; the returned function takes that back. */
  onNews(runId: string, wake: () => void): () => void {
    const waiting = this.#waiting.get(runId) ?? new Set();
    this.#waiting.set(runId, waiting.add(wake));
    return () => {
      waiting.delete(wake);
      if (waiting.size === 0 && this.#waiting.get(runId) === waiting) this.#waiting.delete(runId);
    };
  }

  wake(runIds: Iterable<string> = [...this.#waiting.keys()]): void {
    for (const id of runIds) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      for (const wake of waiting ?? []) wake();
    }
  }
}
