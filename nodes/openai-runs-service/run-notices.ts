/** What the embedded engine tells of runs beyond the wire: that a provider is asked again, and why one failed. */
import type { FailureReason, Fault, RunNotice } from '../../engine/index.ts';

/** Failed runs whose reason is remembered: far more than are looked at soon after. */
const REMEMBERED = 1000;

export type RetryNotice = Extract<RunNotice, { kind: 'retry' }>;

/** A run that another program has started, and that waits for the outputs of functions; told again while it does. */
export type ServedCalls = Extract<RunNotice, { kind: 'calls' }>;

export class RunNotices {
  private readonly failures = new Map<string, { reason: FailureReason; sentence: string }>();
  private readonly listeners = new Set<(notice: RetryNotice) => void>();
  private readonly word: (fault: Fault) => string;

  private readonly onCalls: (calls: ServedCalls) => void;

  /**
   * @param word puts a fault into the words of the runtime's language
   * @param onCalls told when a run of another program waits for flows
   */
  constructor(word: (fault: Fault) => string, onCalls: (calls: ServedCalls) => void) {
    this.word = word;
    this.onCalls = onCalls;
  }

  take(notice: Exclude<RunNotice, { kind: 'run' }>): void {
    if (notice.kind === 'retry') {
      for (const listener of this.listeners) listener(notice);
      return;
    }
    if (notice.kind === 'calls') {
      this.onCalls(notice);
      return;
    }
    const { runId, reason, fault } = notice;
    this.failures.set(runId, { reason, sentence: this.word(fault) });
    for (const id of this.failures.keys()) {
      if (this.failures.size <= REMEMBERED) break;
      this.failures.delete(id);
    }
  }

  /** Why a run failed, closer than its `last_error` and in the runtime's language; unknown after a restart. */
  failureOf(runId: string): { reason: FailureReason; sentence: string } | undefined {
    return this.failures.get(runId);
  }

  /** @returns takes the listener back */
  onRetry(listener: (notice: RetryNotice) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
