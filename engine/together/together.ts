/** What the programs around several engines on one database share beyond runs. */

import type { EngineLog } from '../domain/log.ts';
import type { Ring } from '../store/shared.ts';
import type { Store } from '../store/store.ts';
import { Followers } from '../worker/followers.ts';
import type { Outbox } from '../worker/outbox.ts';
import { type SharedAnswers, sharedAnswers } from './answers.ts';
import { type SharedConversations, sharedConversations } from './conversations.ts';
import { type Line, sharedLine } from './line.ts';
import { type Supersedes, sharedSupersedes } from './supersedes.ts';

export interface Together extends Supersedes {
  conversations: SharedConversations;
  line: Line;
  answers: SharedAnswers;
  /** Whether another process gives signs of life; alone, nobody need stand in line. */
  readonly hasOthers: boolean;
}

/** Together, and the words for it. */
export interface TogetherPart extends Together {
  hear(ring: Ring): void;
  close(): void;
}

export interface TogetherOptions {
  store: Store;
  workerId: string;
  outbox: Outbox;
  log: EngineLog;
  /** Seconds since 1970. */
  now: () => number;
}

/** @returns undefined on a file, which one machine has to itself */
export function makeTogether(options: TogetherOptions): TogetherPart | undefined {
  const { store, workerId, outbox, log, now } = options;
  const { db, shared } = store;
  if (!shared) return undefined;
  const waiting = new Followers();
  const answers = sharedAnswers({
    db,
    shared,
    workerId,
    onFault: (error) => log.warn(`Answers from other machines could not be read: ${String(error)}`),
  });
  const supersedes = sharedSupersedes({
    db,
    shared,
    workerId,
    onFault: (error) => log.warn(`The wishes of other machines could not be read: ${String(error)}`),
  });
  return {
    conversations: sharedConversations(db, now),
    line: sharedLine({
      db,
      shared,
      workerId,
      waiting,
      // The place is given back when the process signs out, or is found dead.
      onFault: (error) => log.warn(`A place in line could not be given back: ${String(error)}`),
    }),
    answers,
    get hasOthers() {
      return outbox.open;
    },
    supersede: supersedes.supersede,
    onSupersede: supersedes.onSupersede,
    close: supersedes.close,
    hear(ring) {
      if (ring.word === 'missed') {
        waiting.wake();
        supersedes.wake();
      }
      if (ring.word === 'answered') answers.wake(ring.ids);
      else if (ring.word === 'left') waiting.wake(ring.ids);
      else if (ring.word === 'superseded') supersedes.wake();
    },
  };
}
