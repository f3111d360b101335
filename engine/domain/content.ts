/** What messages and steps hold: parts of a message, calls of a step. */

export interface TextPart {
  type: 'text';
  text: { value: string; annotations: Record<string, unknown>[] };
}

export interface RefusalPart {
  type: 'refusal';
  refusal: string;
}

type Detail = 'auto' | 'low' | 'high';

export type MessagePart =
  | TextPart
  | RefusalPart
  | { type: 'image_url'; image_url: { url: string; detail?: Detail } }
  | { type: 'image_file'; image_file: { file_id: string; detail?: Detail } };

export interface Attachment {
  file_id: string;
  tools?: { type: string }[];
}

/** A call of any tool: its data stands under the name of its type. */
export interface ToolCall {
  id: string;
  type: string;
  [kind: string]: unknown;
}

export interface FunctionCall extends ToolCall {
  type: 'function';
  /** `output` is null until it comes. */
  function: { name: string; arguments: string; output: string | null };
}

export const isFunctionCall = (call: ToolCall): call is FunctionCall => call.type === 'function';

export type StepDetails =
  | { type: 'message_creation'; message_creation: { message_id: string } }
  | { type: 'tool_calls'; tool_calls: ToolCall[] };

/** The calls of a step; none for a step that made a message. */
export const callsOf = (details: StepDetails): ToolCall[] =>
  details.type === 'tool_calls' ? details.tool_calls : [];
