/** LISTEN and NOTIFY: one connection that hears, and tries again when it is lost. */
import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import type { EngineLog } from '../../domain/log.ts';
import { backoff, sleep } from '../../domain/waits.ts';
import type { Ring, Word } from '../shared.ts';

/** Milliseconds until a word to oneself must have come back. */
const KNOCK_MS = 3_000;
/** Milliseconds between two looks whether the connection still lives. */
const LOOK_MS = 15_000;
/** Bytes that a NOTIFY can carry are 8,000: ids at once, each some thirty long. */
const IDS_AT_ONCE = 200;

/** The texts that carry a word; the sender's own name tells it not to listen to itself. */
export function payloads(sender: string, word: Word, ids: string[]): string[] {
  const texts: string[] = [];
  for (let i = 0; i === 0 || i < ids.length; i += IDS_AT_ONCE) {
    texts.push(`${sender} ${word} ${ids.slice(i, i + IDS_AT_ONCE).join(',')}`);
  }
  return texts;
}

export interface BellOptions {
  /** A connection of its own, not yet made. */
  newClient: () => Client;
  channel: string;
  /** Says something to the channel by another connection. */
  notify: (text: string) => Promise<void>;
  log: EngineLog;
}

/** A connection that hears, and when it is lost. */
interface Listening {
  lost: Promise<void>;
}

export class Bell {
  /** The name that this process speaks under. */
  readonly sender = randomBytes(6).toString('hex');
  readonly #options: BellOptions;
  readonly #hearers = new Set<(ring: Ring) => void>();
  #client: Client | undefined;
  #hears = false;
  #closed = false;
  #knocked: { text: string; heard: () => void } | undefined;

  constructor(options: BellOptions) {
    this.#options = options;
  }

  get hears(): boolean {
    return this.#hears;
  }

  onRing(hear: (ring: Ring) => void): void {
    this.#hearers.add(hear);
  }

  /** Begins to listen, and goes on until `close`; resolves when it hears, or is known not to. */
  async open(): Promise<void> {
    const first = await this.#listen();
    void this.#keep(first);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#hears = false;
    await this.#client?.end().catch(() => {});
  }

  /** Listens again whenever the connection is lost. */
  async #keep(first: Listening | undefined): Promise<void> {
    let listening = first;
    for (let attempt = 0; listening; attempt++) {
      await listening.lost;
      this.#hears = false;
      if (this.#closed) return;
      await sleep(backoff(attempt, { first: 100, longest: 5000 }), undefined, { ref: false });
      if (this.#closed) return;
      try {
        listening = await this.#listen();
        attempt = -1;
        this.#tell({ word: 'missed' });
      } catch {
        listening = { lost: Promise.resolve() };
      }
    }
  }

  /** @returns undefined where words don't come through */
  async #listen(): Promise<Listening | undefined> {
    const client = this.#options.newClient();
    const lost = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
      client.on('end', () => resolve());
    });
    client.on('notification', ({ payload = '' }) => this.#hear(payload));
    try {
      await client.connect();
      this.#client = client;
      await client.query(`listen "${this.#options.channel}"`);
      if (await this.#isHeard(lost)) {
        this.#hears = true;
        this.#watch(client, lost);
        return { lost };
      }
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    await client.end().catch(() => {});
    if (!this.#closed) {
      this.#options.log.warn(
        'The notifications of the database do not arrive, as behind PgBouncer in transaction mode; it is looked at several times a second instead.',
      );
    }
    return undefined;
  }

  /** Whether a word to oneself comes back. */
  async #isHeard(lost: Promise<void>): Promise<boolean> {
    const text = `${this.sender} knock ${randomBytes(6).toString('hex')}`;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#knocked = { text, heard: () => resolve(true) };
    const timer = setTimeout(() => resolve(false), KNOCK_MS);
    void lost.then(() => resolve(false));
    try {
      await this.#options.notify(text);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#knocked = undefined;
    }
  }

  /** Notices a connection that has died in silence. */
  #watch(client: Client, lost: Promise<void>): void {
    const timer = setInterval(() => {
      client.query('select 1').catch(() => void client.end().catch(() => {}));
    }, LOOK_MS).unref();
    void lost.then(() => clearInterval(timer));
  }

  #hear(text: string): void {
    if (this.#knocked?.text === text) this.#knocked.heard();
    const [sender, word, ids = ''] = text.split(' ');
    if (sender === this.sender) return;
    this.#tell({ word: word as Word, ids: ids.split(',').filter(Boolean) });
  }

  #tell(ring: Ring): void {
    for (const hear of this.#hearers) hear(ring);
  }
}
