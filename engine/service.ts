/** What every path needs: the database, the events in flight, and who runs what is queued. */

import type { EngineLog } from './domain/log.ts';
import type { KnownModels } from './models/known-models.ts';
import type { RunNotice } from './notices.ts';
import type { Store } from './store/store.ts';
import type { TogetherPart } from './together/together.ts';
import type { EventHub } from './worker/event-log.ts';
import type { Executor } from './worker/executor.ts';
import type { Followers } from './worker/followers.ts';
import type { Outbox } from './worker/outbox.ts';
import type { RunQueue } from './worker/run-queue.ts';

export interface Service {
  store: Store;
  hub: EventHub;
  executor: Executor;
  /** Events for readers on other machines. */
  outbox: Outbox;
  /** Readers here of runs on other machines. */
  followers: Followers;
  queue: RunQueue;
  together: TogetherPart | undefined;
  log: EngineLog;
  onNotice: (notice: RunNotice) => void;
  /** Whether whoever hears the notices answers calls. */
  answersCalls: () => boolean;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Seconds since 1970, as the wire has its times. */
  now: () => number;
  /** Seconds from a run's creation to its expiry. */
  expirySeconds: number;
  /** For assistants that name no model. */
  defaultModel: string;
  workerId: string;
  models: KnownModels;
  /** Whether the provider keeps files and runs hosted tools. */
  keepsFiles: boolean;
  /** Days that a thread is kept after its last use; 0 = for ever. */
  retentionDays: number;
}
