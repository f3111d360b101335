/** Conversations: one thread per key, remembered in the node's context. */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { Settings } from './settings.ts';

/** Where the threads are kept in the node's context: `{ "<key>": "<thread id>" }`. */
const PLACE = 'conversations';

type Threads = Record<string, string>;

export class Conversations {
  private readonly RED: NodeAPI;
  private readonly node: Node;
  private readonly settings: Settings;
  /** Threads being made, so that two first messages of one key get one thread. */
  private readonly making = new Map<string, Promise<string>>();
  /** Changes of the kept threads, one after the other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(RED: NodeAPI, node: Node, settings: Settings) {
    this.RED = RED;
    this.node = node;
    this.settings = settings;
  }

  /** Whether the node is set to keep conversations. */
  get on(): boolean {
    return this.settings.conversation !== '';
  }

  /**
   * The conversation a message belongs to.
   * @returns undefined when the message names none
   */
  async keyOf(msg: NodeMessage): Promise<string | undefined> {
    if (!this.on) return undefined;
    const { conversation, conversationType } = this.settings;
    const value = await new Promise<unknown>((resolve) => {
      try {
        this.RED.util.evaluateNodeProperty(
          conversation,
          conversationType as 'msg',
          this.node,
          msg,
          (error, result) => resolve(error ? undefined : result),
        );
      } catch {
        resolve(undefined);
      }
    });
    if (value === undefined || value === null || value === '') return undefined;
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }

  /**
   * The thread of a conversation.
   * @param make makes a new thread and gives its id; called once, however many messages come at the same time
   */
  async threadOf(key: string, make: () => Promise<string>): Promise<string> {
    const making = this.making.get(key);
    if (making) return making;
    const thread = this.findOrMake(key, make).finally(() => this.making.delete(key));
    this.making.set(key, thread);
    return thread;
  }

  /** Forgets a conversation; only if it is still on the given thread, where one is given. */
  forget(key: string, threadId?: string): Promise<void> {
    return this.change((threads) => {
      if (threadId === undefined || threads[slot(key)] === threadId) delete threads[slot(key)];
    });
  }

  forgetAll(): Promise<void> {
    return this.change((threads) => {
      for (const name of Object.keys(threads)) delete threads[name];
    });
  }

  private async findOrMake(key: string, make: () => Promise<string>): Promise<string> {
    await this.last;
    const known = (await this.read())[slot(key)];
    if (known) return known;
    const made = await make();
    await this.change((threads) => {
      threads[slot(key)] = made;
    });
    return made;
  }

  private change(edit: (threads: Threads) => void): Promise<void> {
    const changed = this.last.then(async () => {
      const threads = { ...(await this.read()) };
      edit(threads);
      await this.write(threads);
    });
    this.last = changed.catch(() => {});
    return changed;
  }

  private read(): Promise<Threads> {
    return new Promise((resolve, reject) => {
      this.node
        .context()
        .get(PLACE, undefined as never, (error: unknown, threads: unknown) =>
          error ? reject(error) : resolve((threads as Threads) ?? {}),
        );
    });
  }

  private write(threads: Threads): Promise<void> {
    return new Promise((resolve, reject) => {
      this.node
        .context()
        .set(PLACE, threads, undefined as never, (error: unknown) => (error ? reject(error) : resolve()));
    });
  }
}

/** Keys come from messages: none may be a name that objects have already. */
const slot = (key: string) => `:${key}`;
