/** Rows → the objects of the wire. Where the spec and the recordings differ, both are satisfied (lifecycle.md §1). */

import { isActive } from '../domain/run-states.ts';
import type { Assistant, AssistantTool, Message, Run, RunStep, RunUsage, Thread } from '../domain/types.ts';
import { RANKING } from '../domain/types.ts';
import type { Usage } from '../models/model.ts';
import type { AssistantRow, MessageRecord, RunRecord, StepRecord, ThreadRow } from '../store/schema.ts';
import type { RunOptions, ToolResources } from './run-options.ts';

const json = (text: string | null) => (text === null ? null : JSON.parse(text));

export const EMPTY_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

/** `prompt_token_details` really is singular on the wire. */
export function usageObject(usage: Usage): RunUsage {
  return {
    prompt_tokens: usage.prompt_tokens,
    completion_tokens: usage.completion_tokens,
    total_tokens: usage.total_tokens,
    prompt_token_details: { cached_tokens: usage.cached_tokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning_tokens ?? 0 },
  } as RunUsage;
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
    cached_tokens: (a.cached_tokens ?? 0) + (b.cached_tokens ?? 0),
    reasoning_tokens: (a.reasoning_tokens ?? 0) + (b.reasoning_tokens ?? 0),
  };
}

export function assistantObject(row: AssistantRow): Assistant {
  return {
    id: row.id,
    object: 'assistant',
    created_at: row.created_at,
    name: row.name,
    description: row.description,
    model: row.model,
    instructions: row.instructions,
    tools: json(row.tools).map(toolObject),
    tool_resources: assistantResources(json(row.tools), json(row.tool_resources)),
    metadata: json(row.metadata),
    temperature: row.temperature ?? 1,
    top_p: row.top_p ?? 1,
    reasoning_effort: row.reasoning_effort,
    response_format: json(row.response_format),
  } as Assistant;
}

export function threadObject(row: ThreadRow): Thread {
  return {
    id: row.id,
    object: 'thread',
    created_at: row.created_at,
    metadata: json(row.metadata),
    tool_resources: json(row.tool_resources),
  };
}

export function messageObject(row: MessageRecord): Message {
  return {
    id: row.id,
    object: 'thread.message',
    created_at: row.created_at,
    assistant_id: row.assistant_id,
    thread_id: row.thread_id,
    run_id: row.run_id,
    status: row.status,
    incomplete_details: row.incomplete_reason === null ? null : { reason: row.incomplete_reason },
    incomplete_at: row.incomplete_at,
    completed_at: row.completed_at,
    role: row.role,
    content: json(row.content).map(partObject),
    attachments: json(row.attachments),
    metadata: json(row.metadata),
  } as Message;
}

export function runObject(row: RunRecord): Run {
  const options: RunOptions = json(row.options);
  return {
    id: row.id,
    object: 'thread.run',
    created_at: row.created_at,
    assistant_id: row.assistant_id,
    thread_id: row.thread_id,
    status: row.status,
    started_at: row.started_at,
    expires_at: row.expires_at,
    cancelled_at: row.cancelled_at,
    failed_at: row.failed_at,
    completed_at: row.completed_at,
    required_action: json(row.required_action),
    last_error: json(row.last_error),
    model: options.model,
    instructions: options.instructions,
    tools: options.tools.map(toolObject),
    // What the request set, not what assistant and thread hold.
    tool_resources: options.requestedResources ?? {},
    metadata: json(row.metadata),
    temperature: options.temperature ?? 1,
    top_p: options.topP ?? 1,
    reasoning_effort: options.reasoningEffort,
    max_completion_tokens: options.maxCompletionTokens,
    max_prompt_tokens: options.maxPromptTokens,
    truncation_strategy: options.truncation,
    incomplete_details: json(row.incomplete_details),
    // Null in every status that can still change, requires_action included.
    usage: isActive(row.status) ? null : usageObject(json(row.usage)),
    response_format: options.responseFormat,
    tool_choice: options.toolChoice,
    parallel_tool_calls: options.parallelToolCalls,
  } as unknown as Run;
}

/** A tool with what the wire always fills in. */
function toolObject(tool: AssistantTool): AssistantTool {
  if (tool.type === 'function') {
    const { parameters = { type: 'object', properties: {} }, strict, ...rest } = tool.function;
    return { ...tool, function: { ...rest, parameters, strict: strict ?? false } };
  }
  if (tool.type !== 'file_search') return tool;
  const { ranking_options, ...rest } = tool.file_search ?? {};
  return { ...tool, file_search: { ...rest, ranking_options: { ...RANKING, ...ranking_options } } };
}

function assistantResources(tools: AssistantTool[], resources: ToolResources): ToolResources {
  if (!tools.some(({ type }) => type === 'code_interpreter')) return resources;
  return { ...resources, code_interpreter: { file_ids: [], ...resources.code_interpreter } };
}

/** A part of a message; pictures say how closely they are looked at. */
function partObject(part: { type: string; [kind: string]: unknown }): unknown {
  if (part.type !== 'image_url' && part.type !== 'image_file') return part;
  return { ...part, [part.type]: { detail: 'auto', ...(part[part.type] as object) } };
}

/**
 * @param options.fileSearchContent whether what file searches found is shown
 * @param options.runEnded over REST, a step of a run that has ended expires no more
 */
export function stepObject(row: StepRecord, { fileSearchContent = false, runEnded = false } = {}): RunStep {
  return {
    id: row.id,
    object: 'thread.run.step',
    created_at: row.created_at,
    run_id: row.run_id,
    assistant_id: row.assistant_id,
    thread_id: row.thread_id,
    type: row.type,
    status: row.status,
    cancelled_at: row.cancelled_at,
    completed_at: row.completed_at,
    expires_at: runEnded ? null : row.expires_at,
    expired_at: row.expired_at,
    failed_at: row.failed_at,
    last_error: json(row.last_error),
    step_details: fileSearchContent ? json(row.details) : withoutSearchContent(json(row.details)),
    metadata: {},
    usage: row.status === 'in_progress' || row.usage === null ? null : usageObject(json(row.usage)),
  } as unknown as RunStep;
}

interface SearchCall {
  type: string;
  file_search?: { results?: { content?: unknown }[] };
}

/** What was found is only shown to those who ask for it with `include[]`. */
function withoutSearchContent(details: { type: string; tool_calls?: SearchCall[] }) {
  if (!details.tool_calls?.some(({ type }) => type === 'file_search')) return details;
  for (const call of details.tool_calls) {
    for (const result of call.file_search?.results ?? []) delete result.content;
  }
  return details;
}
