/** An object kept in the node's context, changed by one at a time; it lasts as long as the user's context store. */
import type { Node } from 'node-red';

export class ContextRecord<Value> {
  private readonly node: Node;
  private readonly place: string;
  private last: Promise<unknown> = Promise.resolve();

  /** @param place the key in the node's context */
  constructor(node: Node, place: string) {
    this.node = node;
    this.place = place;
  }

  /** What is kept once all changes begun so far are written. */
  async read(): Promise<Record<string, Value>> {
    await this.last;
    return this.get();
  }

  /**
   * Changes a copy and keeps it; changes are made in the order they were asked for.
   * @param edit gives false when there is nothing to change, and nothing is written
   */
  change(edit: (kept: Record<string, Value>) => unknown): Promise<void> {
    const changed = this.last.then(async () => {
      const copy = { ...(await this.get()) };
      if (edit(copy) !== false) await this.set(copy);
    });
    this.last = changed.catch(() => {});
    return changed;
  }

  private get(): Promise<Record<string, Value>> {
    return new Promise((resolve, reject) => {
      this.node
        .context()
        .get(this.place, undefined as never, (error: unknown, kept: unknown) =>
          error ? reject(error) : resolve((kept as Record<string, Value>) ?? {}),
        );
    });
  }

  private set(kept: Record<string, Value>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.node
        .context()
        .set(this.place, kept, undefined as never, (error: unknown) => (error ? reject(error) : resolve()));
    });
  }
}
