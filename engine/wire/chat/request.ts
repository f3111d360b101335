/** From a Chat-Completions request to what a run is made of. */
import { createHash } from 'node:crypto';
import type { FunctionCall } from '../../domain/content.ts';
import { missingParameter } from '../../domain/errors.ts';
import { MAX_COMPLETION_TOKENS } from '../../domain/limits.ts';
import { newMessage } from '../../objects/new-records.ts';
import type { CreateMessage, CreateRun } from '../../schemas/bodies.ts';
import type { ChatCompletion, ChatMessage } from '../../schemas/chat.ts';
import type { MessageRecord } from '../../store/records.ts';

/** Letters of an id after its prefix. */
const ID_LENGTH = 24;

const textOf = ({ content }: ChatMessage): string =>
  typeof content === 'string' || !content
    ? (content ?? '')
    : content.map((part) => (part.type === 'text' ? part.text : '')).join('');

/**
 * What was said, as messages of a thread. Calls and their outputs are left out where what came of them was said, too;
 * outputs that wait for a reply are told as the user's words.
 * @param options.from index of the first message that is taken
 * @param options.withOutputs false where the outputs are told as such (roundsOf)
 */
export function messagesOf(
  messages: readonly ChatMessage[],
  { from = 0, withOutputs = true }: { from?: number; withOutputs?: boolean } = {},
): CreateMessage[] {
  const calls = new Map(
    messages.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => [call.id, call]),
  );
  const replied = messages.findLastIndex(
    ({ role, tool_calls }) => role === 'assistant' && !tool_calls?.length,
  );
  return messages.flatMap((message, index): CreateMessage[] => {
    const { role, content } = message;
    if (index < from) return [];
    if (role === 'assistant') return textOf(message) ? [{ role, content: textOf(message) }] : [];
    if (role === 'user') return content?.length ? [{ role, content }] : [];
    if (role !== 'tool' || !withOutputs || index < replied) return [];
    const call = calls.get(message.tool_call_id ?? '')?.function;
    const name = call ? `${call.name}(${call.arguments ?? ''})` : 'a function';
    return [{ role: 'user', content: `Output of ${name}: ${textOf(message)}` }];
  });
}

/** Index of the first message that is new to somebody who has heard all up to the last reply or call. */
export function firstNew(messages: readonly ChatMessage[]): number {
  return messages.findLastIndex(({ role }) => role === 'assistant') + 1;
}

/**
 * What a thread does not end with yet: a program that was stopped, or whose run failed, tells of the question that has
 * no answer again, before the next one. The last message is new, whatever it says.
 * @param newest messages of the thread, the newest first
 */
export function untold(
  messages: CreateMessage[],
  newest: readonly Pick<MessageRecord, 'role' | 'status' | 'content'>[],
): CreateMessage[] {
  const answer = newest.findIndex(({ role, status }) => role === 'assistant' && status !== 'incomplete');
  const asked = (answer < 0 ? newest : newest.slice(0, answer))
    .filter(({ role }) => role === 'user')
    .map(({ content }) => JSON.stringify(content))
    .reverse();
  const again = messages.map((message) => JSON.stringify(newMessage('', message, 0).content));
  let told = Math.min(asked.length, messages.length - 1);
  while (told > 0 && asked.slice(-told).join() !== again.slice(0, told).join()) told -= 1;
  return messages.slice(Math.max(0, told));
}

/**
 * The outputs at the request's end, for the run that waits for them; undefined where it ends otherwise.
 * @throws ApiError 400 for an output that does not say of which call it is
 */
export function outputsOf(messages: readonly ChatMessage[]) {
  const last = messages.slice(messages.findLastIndex(({ role }) => role !== 'tool') + 1);
  if (last.length === 0) return undefined;
  return last.map((message, index) => {
    const { tool_call_id } = message;
    if (!tool_call_id) {
      const place = messages.length - last.length + index;
      throw missingParameter(`messages[${place}].tool_call_id`);
    }
    return { tool_call_id, output: textOf(message) };
  });
}

/**
 * The rounds of calls since the user spoke last, for a run that has to be told of them: those that are answered as a
 * whole. Earlier ones are left out, as in messagesOf.
 */
export function roundsOf(messages: readonly ChatMessage[]): FunctionCall[][] {
  const since = messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
  const outputs = new Map(
    since.flatMap((message) =>
      message.role === 'tool' && message.tool_call_id ? [[message.tool_call_id, textOf(message)]] : [],
    ),
  );
  return since
    .map(({ tool_calls }) => tool_calls ?? [])
    .filter((calls) => calls.length > 0 && calls.every(({ id }) => outputs.has(id)))
    .map((calls) =>
      calls.map(({ id, function: { name, arguments: args } }) => ({
        id,
        type: 'function',
        function: { name, arguments: args ?? '', output: outputs.get(id)! },
      })),
    );
}

/** The run's own settings, over those of the assistant. */
export function runBody(body: ChatCompletion, assistantId: string): CreateRun {
  const { messages, tools, max_tokens } = body;
  const instructions = messages.filter(({ role }) => role === 'system' || role === 'developer').map(textOf);
  const most = body.max_completion_tokens ?? max_tokens;
  return {
    assistant_id: assistantId,
    ...(instructions.length > 0 && { additional_instructions: instructions.join('\n\n') }),
    ...(tools && { tools }),
    tool_choice: body.tool_choice,
    parallel_tool_calls: body.parallel_tool_calls ?? undefined,
    response_format: body.response_format,
    temperature: body.temperature,
    top_p: body.top_p,
    ...(most && { max_completion_tokens: Math.max(most, MAX_COMPLETION_TOKENS.min) }),
  };
}

/** The thread of a conversation: always the same for the same caller, assistant and name. */
export function threadIdOf(caller: string, assistantId: string, conversation: string): string {
  const hash = createHash('sha256').update(JSON.stringify([caller, assistantId, conversation]));
  return `thread_${hash
    .digest('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, ID_LENGTH)}`;
}
