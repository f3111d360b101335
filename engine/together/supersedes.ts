/** Threads that a machine wants for itself: told in the line's table, so that those hear it who hear no words. */
import type { Shared } from '../store/shared.ts';
import { atomically, type Db } from '../store/store.ts';

/** Milliseconds between two looks where words don't come through. */
const LOOK_MS = 250;
/** Milliseconds that a wish is there to be found. */
const KEPT_MS = 5_000;
const SCOPE = 'superseded.';

export interface Supersedes {
  /** Asks the other machines to end what they have on a thread. */
  supersede(threadId: string): Promise<void>;
  /** Calls back with the threads that another machine wants for itself. */
  onSupersede(end: (threadId: string) => void): void;
}

export interface SupersedesPart extends Supersedes {
  /** There may be new wishes. */
  wake(): void;
  close(): void;
}

export interface SupersedesOptions {
  db: Db;
  shared: Shared;
  workerId: string;
  onFault: (error: unknown) => void;
}

export function sharedSupersedes({ db, shared, workerId, onFault }: SupersedesOptions): SupersedesPart {
  const enders = new Set<(threadId: string) => void>();
  /** Numbers of the wishes that are there and were seen. */
  let seen = new Set<number>();
  let last: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const look = async () => {
    const rows = await db
      .selectFrom('line')
      .select(['seq', 'scope'])
      .where('scope', 'like', `${SCOPE}%`)
      .where('worker', '!=', workerId)
      .execute();
    const fresh = rows.filter(({ seq }) => !seen.has(seq));
    seen = new Set(rows.map(({ seq }) => seq));
    for (const { scope } of fresh) for (const end of enders) end(scope.slice(SCOPE.length));
  };
  // One after the other: an older look knows nothing of what a newer one has seen.
  const wake = () => {
    if (enders.size > 0 && !closed) last = last.then(look).catch(onFault);
  };

  return {
    wake,
    async supersede(threadId) {
      const { seq } = await atomically(db, async (trx) => {
        const row = { scope: `${SCOPE}${threadId}`, worker: workerId };
        const wish = await trx.insertInto('line').values(row).returning('seq').executeTakeFirstOrThrow();
        await shared.ring(trx, 'superseded', []);
        return wish;
      });
      // One that is left behind goes with the process.
      const forget = () => db.deleteFrom('line').where('seq', '=', seq).execute();
      setTimeout(() => closed || forget().catch(onFault), KEPT_MS).unref();
    },
    onSupersede(end) {
      enders.add(end);
      timer ??= setInterval(() => !shared.hears && wake(), LOOK_MS).unref();
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
