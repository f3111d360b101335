/** Conversations in the database: one thread a key, whichever machine its messages come in at. */
import { newThread } from '../objects/new-records.ts';
import { atomically, type Db } from '../store/store.ts';
import { insertThread } from '../store/threads.ts';

export interface SharedConversations {
  /**
   * The thread of a key; made if there is none, once for all machines.
   * @param known the thread that a Node-RED remembers from before it shared a database; taken if it is there
   */
  threadOf(scope: string, key: string, known?: string): Promise<string>;
  /** Forgets a key; only if it is still on the given thread, where one is given. */
  forget(scope: string, key: string, threadId?: string): Promise<void>;
  forgetAll(scope: string): Promise<void>;
}

/** Another machine has made the thread meanwhile. */
class Taken extends Error {}

export function sharedConversations(db: Db, now: () => number): SharedConversations {
  const find = async (scope: string, key: string) =>
    (
      await db
        .selectFrom('conversations')
        .select('thread_id')
        .where('scope', '=', scope)
        .where('key', '=', key)
        .executeTakeFirst()
    )?.thread_id;

  const insertNew = async (trx: Db) => {
    const thread = newThread({}, now());
    await insertThread(trx, thread);
    return thread.id;
  };

  /** Thread and key together, or neither where the key is there already. */
  const make = (scope: string, key: string, known = '') =>
    atomically(db, async (trx) => {
      const found = await trx
        .selectFrom('threads')
        .select('id')
        .where('id', '=', known)
        .forNoKeyUpdate()
        .executeTakeFirst();
      const thread_id = found?.id ?? (await insertNew(trx));
      const made = await trx
        .insertInto('conversations')
        .values({ scope, key, thread_id })
        .onConflict((conflict) => conflict.doNothing())
        .returning('thread_id')
        .executeTakeFirst();
      if (!made) throw new Taken();
      return thread_id;
    });

  return {
    async threadOf(scope, key, known) {
      for (;;) {
        const there = await find(scope, key);
        if (there) return there;
        try {
          return await make(scope, key, known);
        } catch (error) {
          if (!(error instanceof Taken)) throw error;
        }
      }
    },
    async forget(scope, key, threadId) {
      await db
        .deleteFrom('conversations')
        .where('scope', '=', scope)
        .where('key', '=', key)
        .$if(threadId !== undefined, (query) => query.where('thread_id', '=', threadId!))
        .execute();
    },
    async forgetAll(scope) {
      await db.deleteFrom('conversations').where('scope', '=', scope).execute();
    },
  };
}
