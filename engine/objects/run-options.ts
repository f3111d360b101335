/** Settles what a run is to do: the request's own fields over those of the assistant. */
import type { RunOptions, ToolResources } from '../domain/run-options.ts';
import type { AssistantTool, ResponseFormat, ToolChoice } from '../domain/types.ts';
import type { CreateRun, CreateThreadAndRun } from '../schemas/bodies.ts';
import type { AssistantRecord, ThreadRecord } from '../store/records.ts';

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
  assistant: AssistantRecord,
  thread: ThreadRecord,
  body: RunBody,
  includeSearchContent: boolean,
): RunOptions {
  const own = body.instructions ?? assistant.instructions;
  const instructions = body.additional_instructions
    ? [own, body.additional_instructions].filter(Boolean).join('\n\n')
    : own;
  const assistantResources = (body.tool_resources ?? assistant.tool_resources) as ToolResources;
  return {
    model: body.model ?? assistant.model,
    instructions,
    tools: (body.tools ?? assistant.tools) as AssistantTool[],
    toolResources: mergeResources(assistantResources, thread.tool_resources),
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
    responseFormat: (body.response_format ?? assistant.response_format) as ResponseFormat,
    toolChoice: (body.tool_choice ?? 'auto') as ToolChoice,
    parallelToolCalls: body.parallel_tool_calls ?? true,
    includeSearchContent,
  };
}
