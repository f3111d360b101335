/**
 * Conversations: one thread per key, remembered in the node's context; in the database where several Node-REDs share
 * one, so that two of them never make two threads for one key.
 */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { ServiceNode } from '../openai-runs-service/connection.ts';
import { ContextRecord } from './node-context.ts';
import type { Settings } from './settings.ts';

export class Conversations {
  private readonly RED: NodeAPI;
  private readonly node: Node;
  private readonly settings: Settings;
  private readonly service: ServiceNode;
  /** Threads being made, so that two first messages of one key get one thread. */
  private readonly making = new Map<string, Promise<string>>();
  /** Thread ids by key. */
  private readonly threads: ContextRecord<string>;

  constructor(RED: NodeAPI, node: Node, settings: Settings, service: ServiceNode) {
    this.RED = RED;
    this.node = node;
    this.settings = settings;
    this.service = service;
    this.threads = new ContextRecord(node, 'conversations');
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
  async forget(key: string, threadId?: string): Promise<void> {
    await (await this.shared())?.forget(this.node.id, key, threadId);
    return this.threads.change((threads) => {
      if (threadId === undefined || threads[slot(key)] === threadId) delete threads[slot(key)];
    });
  }

  async forgetAll(): Promise<void> {
    await (await this.shared())?.forgetAll(this.node.id);
    return this.threads.change((threads) => {
      for (const name of Object.keys(threads)) delete threads[name];
    });
  }

  /** The database's, where several Node-REDs share it. */
  private async shared() {
    if (this.service.deployed?.databasePlace === undefined) return undefined;
    return (await this.service.connect()).together?.conversations;
  }

  private async findOrMake(key: string, make: () => Promise<string>): Promise<string> {
    const shared = await this.shared();
    const known = (await this.threads.read())[slot(key)];
    if (shared) return shared.threadOf(this.node.id, key, known);
    if (known) return known;
    const made = await make();
    await this.threads.change((threads) => {
      threads[slot(key)] = made;
    });
    return made;
  }
}

/** Keys come from messages: none may be a name that objects have already. */
const slot = (key: string) => `:${key}`;
