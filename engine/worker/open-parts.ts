/** Steps and messages while they are open: as rows, and as what they will hold. */
import { newId } from '../domain/ids.ts';
import type { ProviderState } from '../domain/provider-state.ts';
import type { MessageRecord, RunRow, StepRecord } from '../store/schema.ts';

export type TextPart = { type: 'text'; text: { value: string; annotations: Record<string, unknown>[] } };
export type RefusalPart = { type: 'refusal'; refusal: string };
export type ToolCall = { id: string; type: string; [kind: string]: unknown };
export type FunctionCall = ToolCall & {
  function: { name: string; arguments: string; output: string | null };
};

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

export const isFunctionCall = (call: ToolCall): call is FunctionCall => call.type === 'function';

/** A step of the run that begins now. */
export function newStep(
  { id: run_id, thread_id, assistant_id, expires_at }: RunRow,
  type: StepRecord['type'],
  details: unknown,
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
    details: JSON.stringify(details),
    last_error: null,
    usage: null,
    expires_at,
    completed_at: null,
    failed_at: null,
    cancelled_at: null,
    expired_at: null,
    memory: JSON.stringify(memory),
  };
}

/** The assistant's message, still empty. */
export function newAnswer({ id: run_id, thread_id, assistant_id }: RunRow, now: number): MessageRecord {
  return {
    id: newId('msg'),
    thread_id,
    created_at: now,
    role: 'assistant',
    status: 'in_progress',
    content: '[]',
    attachments: '[]',
    metadata: '{}',
    assistant_id,
    run_id,
    completed_at: null,
    incomplete_at: null,
    incomplete_reason: null,
  };
}
