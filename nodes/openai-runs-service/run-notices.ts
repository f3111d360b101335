/** What the embedded engine tells of runs beyond the wire: that a provider is asked again, and why one failed. */
import type { FailureReason, RunNotice } from '../../engine/index.ts';

/** Failed runs whose reason is remembered: far more than are looked at soon after. */
const REMEMBERED = 1000;

export type RetryNotice = Extract<RunNotice, { kind: 'retry' }>;

export class RunNotices {
  private readonly reasons = new Map<string, FailureReason>();
  private readonly listeners = new Set<(notice: RetryNotice) => void>();

  take(notice: RunNotice): void {
    if (notice.kind === 'retry') {
      for (const listener of this.listeners) listener(notice);
      return;
    }
    this.reasons.set(notice.runId, notice.reason);
    for (const id of this.reasons.keys()) {
      if (this.reasons.size <= REMEMBERED) break;
      this.reasons.delete(id);
    }
  }

  /** Why a run failed, closer than its `last_error.code`; unknown after a restart. */
  reasonOf(runId: string): FailureReason | undefined {
    return this.reasons.get(runId);
  }

  /** @returns takes the listener back */
  onRetry(listener: (notice: RetryNotice) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
