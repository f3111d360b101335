/** Answers of tools that come in at another machine than the one that asked: kept by call until it has them all. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Shared } from '../store/shared.ts';
import { atomically, type Db } from '../store/store.ts';

/** Milliseconds between two looks, for words that were not heard; where they don't come through, more often. */
const LOOK_MS = { hearing: 1000, deaf: 200 };

export interface SharedAnswers {
  /**
   * This machine sends a run's calls out, and wants their answers wherever they come in.
   * @param take gets each answer, maybe more than once
   * @returns ends that, when the round is over
   */
  ask(runId: string, take: (callId: string, output: string) => void): Promise<() => Promise<void>>;
  /** Gives an answer to the machine that asked. @returns false where none that lives has asked */
  give(runId: string, callId: string, output: string): Promise<boolean>;
  /** Waits until the machine that asked is done with the round. @returns false when it is gone instead */
  isTaken(runId: string, signal: AbortSignal): Promise<boolean>;
  /** Answers of a run that are kept, by call. */
  of(runId: string): Promise<Map<string, string>>;
}

export interface AnswersOptions {
  db: Db;
  shared: Shared;
  workerId: string;
  onFault: (error: unknown) => void;
}

export interface SharedAnswersPart extends SharedAnswers {
  /** Answers to these runs have come in somewhere. */
  wake(runIds: string[]): void;
}

export function sharedAnswers({ db, shared, workerId, onFault }: AnswersOptions): SharedAnswersPart {
  const pause = () => (shared.hears ? LOOK_MS.hearing : LOOK_MS.deaf);
  /** Rounds that this machine has open. */
  const asked = new Map<string, () => void>();

  const of = async (runId: string) => {
    const rows = await db
      .selectFrom('answers')
      .select(['call_id', 'output'])
      .where('run_id', '=', runId)
      .execute();
    return new Map(rows.map(({ call_id, output }) => [call_id, output]));
  };

  /** The round of a run, and whether whoever asked gives signs of life. */
  const roundOf = async (on: Db, runId: string) => {
    const row = await on
      .selectFrom('rounds')
      .leftJoin('workers', 'workers.id', 'rounds.worker')
      .select(['rounds.worker', 'workers.id as alive'])
      .where('rounds.run_id', '=', runId)
      .executeTakeFirst();
    return row && { worker: row.worker, lives: row.alive !== null };
  };

  return {
    of,
    wake: (runIds) => {
      for (const id of runIds) asked.get(id)?.();
    },
    async ask(runId, take) {
      const look = () =>
        of(runId).then((answers) => {
          for (const [id, output] of answers) take(id, output);
        }, onFault);
      await db
        .insertInto('rounds')
        .values({ run_id: runId, worker: workerId })
        .onConflict((conflict) => conflict.column('run_id').doUpdateSet({ worker: workerId }))
        .execute();
      asked.set(runId, look);
      // Answers of before: another machine had asked, and is gone.
      await look();
      const timer = setInterval(look, pause()).unref();
      return async () => {
        clearInterval(timer);
        asked.delete(runId);
        await atomically(db, async (trx) => {
          await trx.deleteFrom('rounds').where('run_id', '=', runId).where('worker', '=', workerId).execute();
          await trx.deleteFrom('answers').where('run_id', '=', runId).execute();
        });
      };
    },
    give: (runId, callId, output) =>
      atomically(db, async (trx) => {
        const round = await roundOf(trx, runId);
        if (!round?.lives || round.worker === workerId) return false;
        await trx
          .insertInto('answers')
          .values({ run_id: runId, call_id: callId, output })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        await shared.ring(trx, 'answered', [runId]);
        return true;
      }),
    async isTaken(runId, signal) {
      for (;;) {
        signal.throwIfAborted();
        const round = await roundOf(db, runId);
        if (!round) return true;
        if (!round.lives) return false;
        await delay(pause(), undefined, { signal, ref: false });
      }
    },
  };
}
