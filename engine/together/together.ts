/** What the programs around several engines on one database share beyond runs. */

import type { EngineLog } from '../domain/log.ts';
import type { Ring } from '../store/shared.ts';
import type { Store } from '../store/store.ts';
import { Followers } from '../worker/followers.ts';
import type { Outbox } from '../worker/outbox.ts';
import { type SharedAnswers, sharedAnswers } from './answers.ts';
import { type SharedConversations, sharedConversations } from './conversations.ts';
import { type Line, sharedLine } from './line.ts';

export interface Together {
  conversations: SharedConversations;
  line: Line;
  answers: SharedAnswers;
  /** Whether another process gives signs of life; alone, nobody need stand in line. */
  readonly hasOthers: boolean;
  /** Asks the other machines to end what they have on a thread. */
  supersede(threadId: string): Promise<void>;
  /** Calls back with the threads that another machine wants for itself. */
  onSupersede(end: (threadId: string) => void): void;
}

/** Together, and the words for it. */
export interface TogetherPart extends Together {
  hear(ring: Ring): void;
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
  const enders = new Set<(threadId: string) => void>();
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
    supersede: (threadId) => shared.ring(db, 'superseded', [threadId]),
    onSupersede: (end) => enders.add(end),
    hear(ring) {
      if (ring.word === 'missed') waiting.wake();
      else if (ring.word === 'answered') answers.wake(ring.ids);
      else if (ring.word === 'left') waiting.wake(ring.ids);
      else if (ring.word === 'superseded') for (const id of ring.ids) for (const end of enders) end(id);
    },
  };
}
