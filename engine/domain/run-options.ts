/** What a run was asked to do, settled once when it is created: the assistant's settings under the run's own. */
import type { AssistantTool, ResponseFormat, ToolChoice } from './types.ts';

export interface RunOptions {
  model: string;
  instructions: string | null;
  tools: AssistantTool[];
  toolResources: ToolResources;
  /** What the request itself asked for; not there in runs of earlier versions. */
  requestedResources?: ToolResources;
  temperature: number | null;
  topP: number | null;
  reasoningEffort: string | null;
  /** Tokens over the whole run. */
  maxPromptTokens: number | null;
  maxCompletionTokens: number | null;
  truncation: { type: 'auto' | 'last_messages'; last_messages: number | null };
  responseFormat: ResponseFormat;
  toolChoice: ToolChoice;
  parallelToolCalls: boolean;
  /** A caller started it, and the calls of its assistant's functions are answered for the caller. */
  isServedTools?: boolean;
  /** A chat that names no conversation: its thread goes when the run has ended. */
  forgetsThread?: boolean;
  /** The creator asked with `include[]` to see what file searches found in the stream's steps. */
  includeSearchContent: boolean;
}

/** Files and vector stores that hosted tools may use. */
export interface ToolResources {
  code_interpreter?: { file_ids?: string[] };
  file_search?: { vector_store_ids?: string[] };
}
