/** Records → the objects of the wire. Where schema and recordings differ, both are satisfied (docs/contract.md, Objects). */

import type { Caller } from '../domain/caller.ts';
import type { MessagePart, StepDetails } from '../domain/content.ts';
import { callsOf } from '../domain/content.ts';
import type { ToolResources } from '../domain/run-options.ts';
import { isActive } from '../domain/run-states.ts';
import type { Assistant, AssistantTool, Message, Run, RunStep, RunUsage, Thread } from '../domain/types.ts';
import { RANKING } from '../domain/types.ts';
import type { Usage } from '../domain/usage.ts';
import type {
  AssistantRecord,
  MessageRecord,
  RunRecord,
  StepRecord,
  ThreadRecord,
} from '../store/records.ts';

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

/** The usage that such an object tells of. */
export function usageOf({ prompt_tokens, completion_tokens, total_tokens, ...details }: RunUsage): Usage {
  const { prompt_token_details, completion_tokens_details } = details as {
    prompt_token_details?: { cached_tokens?: number };
    completion_tokens_details?: { reasoning_tokens?: number };
  };
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens,
    cached_tokens: prompt_token_details?.cached_tokens ?? 0,
    reasoning_tokens: completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

export function assistantObject(row: AssistantRecord): Assistant {
  return {
    id: row.id,
    object: 'assistant',
    created_at: row.created_at,
    name: row.name,
    description: row.description,
    model: row.model,
    instructions: row.instructions,
    tools: row.tools.map(toolObject),
    tool_resources: assistantResources(row.tools, row.tool_resources),
    metadata: row.metadata,
    temperature: row.temperature ?? 1,
    top_p: row.top_p ?? 1,
    reasoning_effort: row.reasoning_effort,
    response_format: row.response_format,
  } as Assistant;
}

export function threadObject(row: ThreadRecord): Thread {
  return {
    id: row.id,
    object: 'thread',
    created_at: row.created_at,
    metadata: row.metadata,
    tool_resources: row.tool_resources,
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
    content: row.content.map(partObject),
    attachments: row.attachments,
    metadata: row.metadata,
  } as Message;
}

/**
 * Whether a caller is to know that a run waits for outputs; the program that the engine lives in always is. For the run's
 * whole life: whoever answers may just be starting again, or be on another machine.
 */
export const seesCalls = ({ options }: RunRecord, caller: Caller | undefined): boolean =>
  !(caller && options.isServedTools);

/** A run as a caller sees it. */
export function runFor(caller: Caller | undefined, run: RunRecord): Run {
  if (run.status !== 'requires_action' || seesCalls(run, caller)) return runObject(run);
  return runObject({ ...run, status: 'in_progress', required_action: null });
}

export function runObject(row: RunRecord): Run {
  const { options } = row;
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
    required_action: row.required_action,
    last_error: row.last_error,
    model: options.model,
    instructions: options.instructions,
    tools: options.tools.map(toolObject),
    // What the request set, not what assistant and thread hold.
    tool_resources: options.requestedResources ?? {},
    metadata: row.metadata,
    temperature: options.temperature ?? 1,
    top_p: options.topP ?? 1,
    reasoning_effort: options.reasoningEffort,
    max_completion_tokens: options.maxCompletionTokens,
    max_prompt_tokens: options.maxPromptTokens,
    truncation_strategy: options.truncation,
    incomplete_details: row.incomplete_details,
    // Null in every status that can still change, requires_action included.
    usage: isActive(row.status) ? null : usageObject(row.usage),
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
function partObject(part: MessagePart): unknown {
  if (part.type === 'image_url') return { ...part, image_url: { detail: 'auto', ...part.image_url } };
  if (part.type === 'image_file') return { ...part, image_file: { detail: 'auto', ...part.image_file } };
  return part;
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
    last_error: row.last_error,
    step_details: fileSearchContent ? row.details : withoutSearchContent(row.details),
    metadata: {},
    usage: row.status === 'in_progress' || row.usage === null ? null : usageObject(row.usage),
  } as unknown as RunStep;
}

interface SearchResults {
  results?: { content?: unknown }[];
}

/** What was found is only shown to those who ask for it with `include[]`. */
function withoutSearchContent(details: StepDetails): StepDetails {
  if (details.type !== 'tool_calls') return details;
  if (!callsOf(details).some(({ type }) => type === 'file_search')) return details;
  const tool_calls = details.tool_calls.map((call) => {
    const { results, ...search } = (call.file_search ?? {}) as SearchResults;
    if (!results) return call;
    return { ...call, file_search: { ...search, results: results.map(({ content: _, ...rest }) => rest) } };
  });
  return { ...details, tool_calls };
}
