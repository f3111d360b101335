/** Runs of other programs that a node has in hand: each is worked on once, however often the service tells of it. */

/** Milliseconds that a run is left alone after the work on it has failed. */
const PAUSE_MS = 30_000;

export class ServedRuns {
  private readonly inHand = new Set<string>();
  /** When runs may be taken up again, in milliseconds since 1970. */
  private readonly failed = new Map<string, number>();

  has(runId: string): boolean {
    return this.inHand.has(runId);
  }

  /** Whether a run that waits is to be taken up now. */
  isDue(runId: string): boolean {
    return !this.has(runId) && Date.now() >= (this.failed.get(runId) ?? 0);
  }

  /** Works on a run that is not in hand; what it throws is thrown on. */
  async hold(runId: string, work: () => Promise<void>): Promise<void> {
    this.inHand.add(runId);
    try {
      await work();
    } catch (error) {
      for (const [id, until] of this.failed) if (until < Date.now()) this.failed.delete(id);
      this.failed.set(runId, Date.now() + PAUSE_MS);
      throw error;
    } finally {
      this.inHand.delete(runId);
    }
  }
}
