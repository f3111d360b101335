/** When keys were last used. Kept in the service's context, so that a context store that lasts keeps it, too. */
import type { Node } from 'node-red';

const NAME = 'keyUses';
/** Milliseconds between two writes: the minute is exact enough for people. */
const PAUSE = 60_000;

type Uses = Record<string, number>;

export class KeyUses {
  readonly #node: Node;
  readonly #uses = new Map<string, number>();
  #written = 0;

  constructor(node: Node) {
    this.#node = node;
  }

  note(id: string): void {
    const now = Date.now();
    this.#uses.set(id, now);
    if (now - this.#written < PAUSE) return;
    this.#written = now;
    this.all().then((all) => this.#node.context().set(NAME, all, () => {}));
  }

  /** By id of the key, in milliseconds since 1970. */
  all(): Promise<Uses> {
    return new Promise((resolve) => {
      this.#node.context().get(NAME, (_error: unknown, kept: unknown) => {
        resolve({ ...(kept as Uses | undefined), ...Object.fromEntries(this.#uses) });
      });
    });
  }
}
