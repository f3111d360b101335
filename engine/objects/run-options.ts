/** What a run was asked to do, settled once when it is created: the assistant's settings under the run's own. */

import type { AssistantTool, ToolChoice } from '../domain/types.ts';
import type { ResponseFormat } from '../models/model.ts';
import type { AssistantRow, ThreadRow } from '../store/schema.ts';
import type { CreateRun, CreateThreadAndRun } from '../wire/schemas/bodies.ts';

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
  /** The creator asked with `include[]` to see what file searches found in the stream's steps. */
  includeSearchContent: boolean;
}

export interface ToolResources {
  code_interpreter?: { file_ids?: string[] };
  file_search?: { vector_store_ids?: string[] };
}

type RunBody = Partial<CreateRun> & Partial<CreateThreadAndRun>;

const union = (a: string[] = [], b: string[] = []) => [...new Set([...a, ...b])];

/** Files of assistant and thread are both at hand during a run. */
function mergeResources(a: ToolResources, b: ToolResources): ToolResources {
  const merged: ToolResources = {};
  if (a.code_interpreter || b.code_interpreter) {
    merged.code_interpreter = { file_ids: union(a.code_interpreter?.file_ids, b.code_interpreter?.file_ids) };
  }
  if (a.file_search || b.file_search) {
    merged.file_search = {
      vector_store_ids: union(a.file_search?.vector_store_ids, b.file_search?.vector_store_ids),
    };
  }
  return merged;
}

/** The run's field where given, else the assistant's; additional_instructions are appended. */
export function settleOptions(
  assistant: AssistantRow,
  thread: ThreadRow,
  body: RunBody,
  includeSearchContent: boolean,
): RunOptions {
  const own = body.instructions ?? assistant.instructions;
  const instructions = body.additional_instructions
    ? [own, body.additional_instructions].filter(Boolean).join('\n\n')
    : own;
  const assistantResources = (body.tool_resources ?? JSON.parse(assistant.tool_resources)) as ToolResources;
  return {
    model: body.model ?? assistant.model,
    instructions,
    tools: (body.tools ?? JSON.parse(assistant.tools)) as AssistantTool[],
    toolResources: mergeResources(assistantResources, JSON.parse(thread.tool_resources)),
    requestedResources: (body.tool_resources ?? {}) as ToolResources,
    temperature: body.temperature ?? assistant.temperature,
    topP: body.top_p ?? assistant.top_p,
    reasoningEffort: body.reasoning_effort ?? assistant.reasoning_effort,
    maxPromptTokens: body.max_prompt_tokens ?? null,
    maxCompletionTokens: body.max_completion_tokens ?? null,
    truncation: {
      type: body.truncation_strategy?.type ?? 'auto',
      last_messages: body.truncation_strategy?.last_messages ?? null,
    },
    responseFormat: (body.response_format ?? JSON.parse(assistant.response_format)) as ResponseFormat,
    toolChoice: (body.tool_choice ?? 'auto') as ToolChoice,
    parallelToolCalls: body.parallel_tool_calls ?? true,
    includeSearchContent,
  };
}
