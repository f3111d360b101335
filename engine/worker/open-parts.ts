/** Steps and messages while they are open: as rows, and as what they will hold. */
import type { RefusalPart, StepDetails, TextPart, ToolCall } from '../domain/content.ts';
import { newId } from '../domain/ids.ts';
import type { ProviderState } from '../domain/provider-state.ts';
import type { MessageRecord, RunRecord, StepRecord } from '../store/records.ts';

export interface OpenMessage {
  kind: 'message';
  step: StepRecord;
  message: MessageRecord;
  parts: (TextPart | RefusalPart)[];
  memory: ProviderState;
}

export interface OpenTools {
  kind: 'tools';
  step: StepRecord;
  calls: ToolCall[];
  /** Position in `calls` of the model's n-th call, for its own and for hosted tools. */
  functions: Map<number, number>;
  hosted: Map<number, number>;
  unfinished: Set<number>;
  memory: ProviderState;
}

/** A step of the run that begins now. */
export function newStep(
  { id: run_id, thread_id, assistant_id, expires_at }: RunRecord,
  type: StepRecord['type'],
  details: StepDetails,
  memory: ProviderState,
  now: number,
): StepRecord {
  return {
    id: newId('step'),
    run_id,
    thread_id,
    assistant_id,
    created_at: now,
    type,
    status: 'in_progress',
    details,
    last_error: null,
    usage: null,
    expires_at,
    completed_at: null,
    failed_at: null,
    cancelled_at: null,
    expired_at: null,
    memory,
  };
}

/** The assistant's message, still empty. */
export function newAnswer({ id: run_id, thread_id, assistant_id }: RunRecord, now: number): MessageRecord {
  return {
    id: newId('msg'),
    thread_id,
    created_at: now,
    role: 'assistant',
    status: 'in_progress',
    content: [],
    attachments: [],
    metadata: {},
    assistant_id,
    run_id,
    completed_at: null,
    incomplete_at: null,
    incomplete_reason: null,
  };
}
