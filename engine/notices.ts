/** What the engine tells of runs beyond the wire. */
import type { Run } from './domain/types.ts';
import type { Fault } from './models/faults.ts';
import type { FailureReason } from './models/model.ts';

/** What the wire has no place for, told to the program that the engine lives in. */
export type RunNotice =
  /** The provider is asked again: the number of the next attempt, from 2, and milliseconds until then. */
  | { kind: 'retry'; runId: string; reason: FailureReason; attempt: number; wait: number }
  /** The run has another status, or is new. */
  | { kind: 'run'; run: Run }
  /** The provider is why the run failed. */
  | { kind: 'failed'; runId: string; reason: FailureReason; fault: Fault }
  /**
   * A run of a caller calls functions that are not the caller's to answer. Told again every second while it waits for
   * this process. `again`: the calls may have been handed out before, here or by a process that is gone.
   */
  | { kind: 'calls'; runId: string; threadId: string; again: boolean };
