/** Rows with their JSON read, and back: the one place that knows what the JSON of each column is. */
import type { Selectable } from 'kysely';
import type { Attachment, MessagePart, StepDetails } from '../domain/content.ts';
import type { ProviderState } from '../domain/provider-state.ts';
import type { RunOptions, ToolResources } from '../domain/run-options.ts';
import type { AssistantTool, LastError, Metadata, RequiredAction, ResponseFormat } from '../domain/types.ts';
import type { Usage } from '../domain/usage.ts';
import type { Tables } from './schema.ts';

/** What the columns of JSON text hold. */
interface JsonOf {
  assistants: {
    tools: AssistantTool[];
    tool_resources: ToolResources;
    metadata: Metadata;
    response_format: ResponseFormat;
  };
  threads: { tool_resources: ToolResources; metadata: Metadata };
  messages: { content: MessagePart[]; attachments: Attachment[]; metadata: Metadata };
  runs: {
    required_action: RequiredAction | null;
    last_error: LastError | null;
    incomplete_details: { reason?: 'max_completion_tokens' | 'max_prompt_tokens' } | null;
    usage: Usage;
    metadata: Metadata;
    options: RunOptions;
  };
  steps: {
    details: StepDetails;
    last_error: { code: 'server_error' | 'rate_limit_exceeded'; message: string } | null;
    usage: Usage | null;
    memory: ProviderState;
  };
}

const JSON_COLUMNS: { [T in keyof JsonOf]: Record<keyof JsonOf[T], true> } = {
  assistants: { tools: true, tool_resources: true, metadata: true, response_format: true },
  threads: { tool_resources: true, metadata: true },
  messages: { content: true, attachments: true, metadata: true },
  runs: {
    required_action: true,
    last_error: true,
    incomplete_details: true,
    usage: true,
    metadata: true,
    options: true,
  },
  steps: { details: true, last_error: true, usage: true, memory: true },
};

export type Kept = keyof JsonOf;
export type Row<T extends Kept> = Selectable<Tables[T]>;
/** A row as the engine works with it. */
export type Stored<T extends Kept> = Omit<Row<T>, keyof JsonOf[T]> & JsonOf[T];

export type AssistantRecord = Stored<'assistants'>;
export type ThreadRecord = Stored<'threads'>;
/** Messages, runs and steps as they are before the database has numbered them; `Stored` has the number. */
export type MessageRecord = Omit<Stored<'messages'>, 'seq'>;
export type RunRecord = Omit<Stored<'runs'>, 'seq'>;
export type StepRecord = Omit<Stored<'steps'>, 'seq'>;

/** A row of a table with its JSON read. */
export function fromRow<T extends Kept>(table: T, row: Row<T>): Stored<T> {
  const record: Record<string, unknown> = { ...row };
  for (const column of Object.keys(JSON_COLUMNS[table])) {
    const text = record[column];
    if (typeof text === 'string') record[column] = JSON.parse(text);
  }
  return record as unknown as Stored<T>;
}

/** Some or all columns of a record as the table takes them. */
export function toRow<T extends Kept, R extends Partial<Stored<T>>>(
  table: T,
  record: R,
): { [C in keyof R]: C extends keyof JsonOf[T] ? string | Extract<R[C], null | undefined> : R[C] } {
  const row: Record<string, unknown> = { ...record };
  for (const column of Object.keys(JSON_COLUMNS[table])) {
    if (row[column] != null) row[column] = JSON.stringify(row[column]);
  }
  return row as ReturnType<typeof toRow<T, R>>;
}
