/** What a Chat-Completions server answers, as model events. Tolerant: chat servers lie (test/engine/models/chat). */

import type { Usage } from '../../domain/usage.ts';
import { Calls } from '../calls.ts';
import type { Reply } from '../http/connection.ts';
import { brokenOff, failedInAnswer, notAModel } from '../http/errors.ts';
import { frames } from '../http/frames.ts';
import type { ModelEvent, Turn } from '../model.ts';
import { count, UsageEstimate } from '../tokens.ts';
import { type ToolCallPiece, ToolCallPieces } from './tool-calls.ts';

/** A chunk or a whole completion; every field may be missing or of another type. */
interface Chunk {
  object?: unknown;
  message?: unknown;
  detail?: unknown;
  error?: unknown;
  choices?: Choice[] | null;
  usage?: Record<string, unknown> | null;
}

interface Choice {
  delta?: Said | null;
  message?: Said | null;
  finish_reason?: string | null;
}

interface Said {
  content?: unknown;
  refusal?: unknown;
  tool_calls?: ToolCallPiece[] | ToolCallPiece | null;
  function_call?: ToolCallPiece['function'];
}

/** Reads one answer to its end. @throws ModelError if the server fails, breaks off or answers something else. */
export async function* readChat(reply: Reply, turn: Turn): AsyncGenerator<ModelEvent> {
  const estimate = new UsageEstimate();
  const reader = new ChatReader(turn);
  let begun = false;
  let done = false;
  for await (const frame of lenient(frames(reply), () => reader.finish !== '' && !turn.signal.aborted)) {
    done ||= frame.type !== 'event';
    if (frame.type === 'done') break;
    const chunk = frame.data as Chunk | null;
    const failure = failureIn(chunk);
    if (failure) throw failedInAnswer(failure, reply.address, !begun);
    if (frame.type === 'whole' && !chunk?.choices) throw notAModel(reply.address, 'text');
    begun ||= Boolean(chunk?.choices?.length);
    for (const event of reader.read(chunk ?? {})) {
      estimate.see(event);
      yield event;
    }
  }
  if (!done && !reader.finish) throw brokenOff(reply.address, !begun);
  if (!begun) throw brokenOff(reply.address, true);
  for (const event of reader.rest()) {
    estimate.see(event);
    yield event;
  }
  yield { type: 'usage', usage: reader.usage ?? estimate.of(turn) };
  yield { type: 'end', reason: reader.reason };
}

/** `{error}`, or an object that is nothing but an error's fields. */
function failureIn(chunk: Chunk | null): unknown {
  if (!chunk || chunk.error) return chunk?.error;
  const bare = !chunk.choices && !chunk.usage && (typeof chunk.message === 'string' || chunk.detail);
  return chunk.object === 'error' || bare ? chunk : undefined;
}

/** A connection lost after the finish reason has lost nothing. */
async function* lenient<T>(source: AsyncIterable<T>, finished: () => boolean): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    if (!finished()) throw error;
  }
}

class ChatReader {
  readonly #calls: Calls;
  readonly #pieces: ToolCallPieces;
  usage: Usage | undefined;
  finish = '';

  constructor({ tools, parallelToolCalls }: Turn) {
    const names = tools.flatMap((tool) => (tool.type === 'function' ? [tool.function.name] : []));
    this.#calls = new Calls(parallelToolCalls ? Number.POSITIVE_INFINITY : 1);
    this.#pieces = new ToolCallPieces(this.#calls, names);
  }

  *read({ choices, usage }: Chunk): Generator<ModelEvent> {
    this.usage = usageOf(usage) ?? this.usage;
    const choice = choices?.[0];
    if (!choice) return;
    this.finish = choice.finish_reason || this.finish;
    const said = choice.delta ?? choice.message;
    if (!said) return;
    // reasoning_content, reasoning and thinking are the model's own affair
    const text = contentText(said.content);
    if (text) yield { type: 'text', delta: text };
    if (typeof said.refusal === 'string' && said.refusal) yield { type: 'refusal', delta: said.refusal };
    for (const piece of [said.tool_calls ?? []].flat()) if (piece) this.#pieces.add(piece);
    if (said.function_call) this.#pieces.add({ index: 0, function: said.function_call });
    yield* this.#calls.events();
  }

  *rest(): Generator<ModelEvent> {
    yield* this.#calls.end(this.finish === 'length');
  }

  /** Calls count, not what the server calls the end: many say "stop" after a call, some "tool_calls" after none. */
  get reason(): 'stop' | 'length' | 'content_filter' {
    if (this.#calls.any && !this.#calls.unfinished) return 'stop';
    return this.finish === 'length' || this.finish === 'content_filter' ? this.finish : 'stop';
  }
}

/** A text, or parts of which some are texts. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (typeof part === 'string' ? part : typeof part?.text === 'string' ? part.text : ''))
    .join('');
}

const detail = (value: unknown, name: string) =>
  count((value as Record<string, unknown> | null | undefined)?.[name]);

function usageOf(given: Record<string, unknown> | null | undefined): Usage | undefined {
  const prompt = count(given?.prompt_tokens);
  const completion = count(given?.completion_tokens);
  if (!given || (prompt === undefined && completion === undefined)) return undefined;
  const cached = detail(given.prompt_tokens_details, 'cached_tokens');
  const reasoning = detail(given.completion_tokens_details, 'reasoning_tokens');
  return {
    prompt_tokens: prompt ?? 0,
    completion_tokens: completion ?? 0,
    total_tokens: count(given.total_tokens) ?? (prompt ?? 0) + (completion ?? 0),
    ...(cached !== undefined && { cached_tokens: cached }),
    ...(reasoning !== undefined && { reasoning_tokens: reasoning }),
  };
}
