/** Lines in the database: so many at once over all machines, the rest in the order in which they came. */
import { sql } from 'kysely';
import type { Shared } from '../store/shared.ts';
import { atomically, type Db } from '../store/store.ts';
import type { Followers } from '../worker/followers.ts';

/** Milliseconds after which is looked without being told; where words don't come through, more often. */
const LOOK_MS = { hearing: 1000, deaf: 200 };

export interface Waiting {
  signal: AbortSignal;
  /** Hears how many stand before it. */
  onWait?: ((ahead: number) => void) | undefined;
}

export interface Line {
  /**
   * Waits until fewer than `most` are in, who came before. A machine that dies leaves its places.
   * @param scope letters, digits and signs other than blanks and commas
   * @returns gives the place back; calling it twice does no harm
   * @throws the signal's reason
   */
  enter(scope: string, most: number, waiting: Waiting): Promise<() => void>;
  /** How many are in or wait. */
  length(scope: string): Promise<number>;
}

export interface LineOptions {
  db: Db;
  shared: Shared;
  workerId: string;
  /** Wakes those that wait, by scope. */
  waiting: Followers;
  onFault: (error: unknown) => void;
}

export function sharedLine({ db, shared, workerId, waiting, onFault }: LineOptions): Line {
  /** Those of machines that give signs of life. */
  const places = (scope: string) =>
    db
      .selectFrom('line')
      .innerJoin('workers', 'workers.id', 'line.worker')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('line.scope', '=', scope);
  const count = async (query: ReturnType<typeof places>) =>
    Number((await query.executeTakeFirstOrThrow()).count);

  const join = (scope: string) =>
    atomically(db, async (trx) => {
      // One after the other: who has the smaller number is seen by who has the larger.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`openai_runs.line.${scope}`}, 0))`.execute(
        trx,
      );
      const row = { scope, worker: workerId };
      return (await trx.insertInto('line').values(row).returning('seq').executeTakeFirstOrThrow()).seq;
    });

  const leave = async (scope: string, seq: number) => {
    await db.deleteFrom('line').where('seq', '=', seq).execute();
    waiting.wake([scope]);
    await shared.ring(db, 'left', [scope]);
  };

  /** Something has moved, or it is time to look; the signal ends it too. */
  const news = (scope: string, signal: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, shared.hears ? LOOK_MS.hearing : LOOK_MS.deaf);
    const taken = waiting.onNews(scope, resolve);
    const onEnd = () => resolve();
    signal.addEventListener('abort', onEnd, { once: true });
    const forget = () => {
      clearTimeout(timer);
      taken();
      signal.removeEventListener('abort', onEnd);
    };
    return { promise, forget };
  };

  return {
    length: (scope) => count(places(scope)),
    async enter(scope, most, { signal, onWait }) {
      signal.throwIfAborted();
      const seq = await join(scope);
      let left = false;
      const give = () => {
        if (left) return;
        left = true;
        leave(scope, seq).catch(onFault);
      };
      try {
        for (let told = 0; ; ) {
          const { promise, forget } = news(scope, signal);
          try {
            const ahead = await count(places(scope).where('line.seq', '<', seq));
            signal.throwIfAborted();
            if (ahead < most) return give;
            if (ahead - most + 1 !== told) {
              told = ahead - most + 1;
              onWait?.(told);
            }
            await promise;
          } finally {
            forget();
          }
          signal.throwIfAborted();
        }
      } catch (error) {
        give();
        throw error;
      }
    },
  };
}
