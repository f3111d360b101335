/** A turn as the body of POST /chat/completions. */
import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionContentPart,
  ChatCompletionCreateParams,
  ChatCompletionFunctionTool,
  ChatCompletionMessageParam,
  ChatCompletionToolChoiceOption,
} from 'openai/resources/chat/completions';
import { paired } from '../history.ts';
import { ModelError, type Turn, type TurnContent } from '../model.ts';

/** What a server has turned out to understand. */
export interface Dialect {
  streamOptions: boolean;
  parallelToolCalls: boolean;
  /** OpenAI's newer models take only the one, most other servers only the other. */
  tokenLimit: 'max_completion_tokens' | 'max_tokens';
}

/**
 * The request for one turn.
 * @throws ModelError (invalid_prompt) for what chat servers can't do: hosted tools, files kept by the service.
 */
export function chatRequest(turn: Turn, dialect: Dialect, stream: boolean): ChatCompletionCreateParams {
  const tools = functions(turn);
  const body: ChatCompletionCreateParams = { model: turn.model, messages: messages(turn), stream };
  if (stream && dialect.streamOptions) body.stream_options = { include_usage: true };
  if (tools.length > 0) {
    body.tools = tools;
    if (turn.toolChoice) body.tool_choice = toolChoice(turn.toolChoice);
    if (!turn.parallelToolCalls && dialect.parallelToolCalls) body.parallel_tool_calls = false;
  }
  if (turn.temperature !== null) body.temperature = turn.temperature;
  if (turn.topP !== null) body.top_p = turn.topP;
  if (turn.maxCompletionTokens !== null) body[dialect.tokenLimit] = turn.maxCompletionTokens;
  if (turn.reasoningEffort !== null)
    body.reasoning_effort = turn.reasoningEffort as ChatCompletionCreateParams['reasoning_effort'];
  const format = turn.responseFormat;
  if (format && format !== 'auto' && format.type !== 'text') body.response_format = format;
  return body;
}

function functions({ tools }: Turn): ChatCompletionFunctionTool[] {
  return tools.map((tool) => {
    if (tool.type === 'function') return { type: 'function', function: tool.function };
    throw new ModelError('noTool', { tool: tool.type }, { reason: 'provider_request_refused' });
  });
}

function toolChoice(choice: NonNullable<Turn['toolChoice']>): ChatCompletionToolChoiceOption {
  if (typeof choice === 'string') return choice;
  if (choice.type === 'function' && choice.function) return { type: 'function', function: choice.function };
  throw new ModelError('noChoice', { tool: choice.type }, { reason: 'provider_request_refused' });
}

/** Calls that were made together, and the text before them, are one message; their outputs follow it. */
function messages({ instructions, items }: Turn): ChatCompletionMessageParam[] {
  const list: ChatCompletionMessageParam[] = instructions ? [{ role: 'system', content: instructions }] : [];
  for (const item of paired(items)) {
    if (item.type === 'message' && item.role === 'user')
      list.push({ role: 'user', content: userContent(item.content) });
    else if (item.type === 'message') list.push({ role: 'assistant', content: spoken(item.content) });
    else if (item.type === 'output') list.push({ role: 'tool', tool_call_id: item.id, content: item.output });
    else if (item.type === 'call') {
      const message = assistantAtEnd(list);
      message.tool_calls ??= [];
      message.tool_calls.push({
        id: item.id,
        type: 'function',
        function: { name: item.name, arguments: item.arguments || '{}' },
      });
    }
  }
  return list;
}

function assistantAtEnd(list: ChatCompletionMessageParam[]): ChatCompletionAssistantMessageParam {
  const last = list.at(-1);
  if (last?.role === 'assistant') return last;
  const message: ChatCompletionAssistantMessageParam = { role: 'assistant', content: null };
  list.push(message);
  return message;
}

/** Pictures the assistant made are files of another service: only its words are sent back. */
function spoken(content: TurnContent[]): string {
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

/** Plain text as a string: many servers read no other form. */
function userContent(content: TurnContent[]): string | ChatCompletionContentPart[] {
  const parts = content.map((part): ChatCompletionContentPart => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.type === 'image_url')
      return { type: 'image_url', image_url: { url: part.url, ...(part.detail && { detail: part.detail }) } };
    throw new ModelError('noFile', { file: part.file_id }, { reason: 'provider_request_refused' });
  });
  return parts.every((part) => part.type === 'text') ? parts.map((part) => part.text).join('\n') : parts;
}
