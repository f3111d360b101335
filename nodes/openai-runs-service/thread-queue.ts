/** One run at a time on a thread, across all nodes of a service; the rest wait in the order they came. */

export interface Holder {
  /** Ends the holder because a newer message takes its place. */
  supersede(): void;
  /** Hears how many stand before it. */
  onWait(ahead: number): void;
  signal: AbortSignal;
}

interface Place extends Holder {
  go?: () => void;
}

export class ThreadQueue {
  /** More than this waiting on one thread is a flow that asks faster than it is answered. */
  readonly most = 1_000;
  private readonly threads = new Map<string, Place[]>();

  /** How many hold or await a thread. */
  length(threadId: string): number {
    return this.threads.get(threadId)?.length ?? 0;
  }

  /** Ends all that hold or await a thread. */
  supersede(threadId: string): void {
    for (const place of [...(this.threads.get(threadId) ?? [])]) place.supersede();
  }

  /**
   * Waits until the thread is free.
   * @returns frees the thread for the next; calling it twice does no harm
   * @throws the signal's reason when the holder is ended while it waits
   */
  async enter(threadId: string, holder: Holder): Promise<() => void> {
    holder.signal.throwIfAborted();
    const line = this.threads.get(threadId) ?? [];
    this.threads.set(threadId, line);
    const place: Place = { ...holder };
    line.push(place);
    const leave = () => this.leave(threadId, place);
    if (line.length === 1) return leave;
    holder.onWait(line.length - 1);
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        leave();
        reject(holder.signal.reason);
      };
      holder.signal.addEventListener('abort', stop, { once: true });
      place.go = () => {
        holder.signal.removeEventListener('abort', stop);
        resolve();
      };
    });
    return leave;
  }

  private leave(threadId: string, place: Place): void {
    const line = this.threads.get(threadId);
    const index = line?.indexOf(place) ?? -1;
    if (!line || index < 0) return;
    line.splice(index, 1);
    if (line.length === 0) this.threads.delete(threadId);
    else if (index === 0) line[0]?.go?.();
    line.forEach((waiting, ahead) => {
      if (ahead > 0) waiting.onWait(ahead);
    });
  }
}
