/** The life of a run as one table (docs/contract.md, States). Nothing else in the engine decides what may follow what. */
import type { RunStatus } from './types.ts';

export type TimestampColumn = 'started_at' | 'completed_at' | 'failed_at' | 'cancelled_at';

export interface Transition {
  from: readonly RunStatus[];
  to: RunStatus;
  /** Column that receives the time of the transition. */
  stamps?: TimestampColumn;
  /** `expires_at` turns null: the run can no longer expire. Kept on expired runs, which then say when. */
  clearsExpiry?: true;
}

export type TransitionName =
  | 'claim'
  | 'callTools'
  | 'submit'
  | 'complete'
  | 'incomplete'
  | 'fail'
  | 'expire'
  | 'cancel'
  | 'cancelled';

export const TRANSITIONS = {
  claim: { from: ['queued'], to: 'in_progress', stamps: 'started_at' },
  callTools: { from: ['in_progress'], to: 'requires_action' },
  submit: { from: ['requires_action'], to: 'queued' },
  complete: { from: ['in_progress'], to: 'completed', stamps: 'completed_at', clearsExpiry: true },
  // The one recorded incomplete run carries completed_at.
  incomplete: { from: ['in_progress'], to: 'incomplete', stamps: 'completed_at', clearsExpiry: true },
  fail: { from: ['in_progress'], to: 'failed', stamps: 'failed_at', clearsExpiry: true },
  expire: { from: ['queued', 'in_progress', 'requires_action'], to: 'expired' },
  cancel: { from: ['queued', 'in_progress', 'requires_action'], to: 'cancelling' },
  cancelled: { from: ['cancelling'], to: 'cancelled', stamps: 'cancelled_at', clearsExpiry: true },
} as const satisfies Record<TransitionName, Transition>;

/** Whether a run in this status locks its thread. A missing status does not compile. */
const ACTIVE: Record<RunStatus, boolean> = {
  queued: true,
  in_progress: true,
  requires_action: true,
  cancelling: true,
  completed: false,
  incomplete: false,
  failed: false,
  cancelled: false,
  expired: false,
};

export const ACTIVE_STATUSES = (Object.keys(ACTIVE) as RunStatus[]).filter((status) => ACTIVE[status]);

/** True while the run can still change, which is also while its thread is locked; false for a status not known here. */
export const isActive = (status: RunStatus): boolean => ACTIVE[status] === true;

/** How the open step and message of a run end when the run does. Statuses and reasons: docs/contract.md, Streams. */
export const CLOSINGS = {
  incomplete: { step: 'completed', message: 'max_tokens' },
  fail: { step: 'failed', message: 'run_failed' },
  expire: { step: 'expired', message: 'run_expired' },
  cancelled: { step: 'cancelled', message: 'run_cancelled' },
} as const;

export type EndName = keyof typeof CLOSINGS;
