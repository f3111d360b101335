/**
 * What the engine asks of a model. A model is a stateless source of tokens: it is given everything a turn
 * needs and answers with events; it knows nothing of threads, runs or the database.
 */
import type { AssistantTool, ToolChoice } from '../objects/types.ts';

/** One entry of the conversation, oldest first. Between two turns of a run the list only grows at its end. */
export type TurnItem =
  | { type: 'message'; role: 'user' | 'assistant'; content: TurnContent[] }
  | { type: 'call'; id: string; name: string; arguments: string }
  | { type: 'output'; id: string; output: string }
  /** Something a provider asked to see again (e.g. reasoning items), kept verbatim for that provider. */
  | { type: 'carry'; provider: string; data: unknown };

export type TurnContent =
  | { type: 'text'; text: string }
  | { type: 'image_url'; url: string; detail?: 'auto' | 'low' | 'high' }
  | { type: 'image_file'; file_id: string; detail?: 'auto' | 'low' | 'high' }
  | { type: 'file'; file_id: string };

/** Everything one call of a model needs. Field names that the wire has keep the wire's meaning and units. */
export interface Turn {
  model: string;
  instructions: string | null;
  items: TurnItem[];
  tools: AssistantTool[];
  toolChoice: ToolChoice | null;
  parallelToolCalls: boolean;
  temperature: number | null;
  topP: number | null;
  responseFormat: ResponseFormat | null;
  reasoningEffort: string | null;
  /** What is left of the run's budget, in tokens. */
  maxCompletionTokens: number | null;
  /** tool_resources of assistant and thread, for hosted tools. */
  toolResources: Record<string, unknown> | null;
  signal: AbortSignal;
}

export type ResponseFormat =
  | 'auto'
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      json_schema: {
        name: string;
        description?: string;
        schema?: Record<string, unknown>;
        strict?: boolean | null;
      };
    };

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cached_tokens?: number;
  reasoning_tokens?: number;
}

/**
 * What a model says, in order. `index` counts the function calls of one turn from 0; a call's `name` and `id`
 * are complete when `call` comes, its arguments arrive in pieces and are valid JSON once `call_done` has come.
 * Calls do not interleave: `call`, its arguments, its `call_done`, then the next. A call that has no `call_done`
 * when `end` comes was cut off by the token limit. Every turn ends with exactly one `end`, or the iterator throws:
 * a ModelError, or `turn.signal.reason` once the signal is aborted.
 */
export type ModelEvent =
  | { type: 'text'; delta: string }
  | { type: 'refusal'; delta: string }
  /** In the message's form without `index`; start_index and end_index count from the last call or hosted call on. */
  | { type: 'annotation'; annotation: Record<string, unknown> }
  | { type: 'call'; index: number; id: string; name: string }
  | { type: 'call_arguments'; index: number; delta: string }
  | { type: 'call_done'; index: number }
  /**
   * A tool that the provider itself ran, in the form of a run step's tool call: at first empty (`started`), then only
   * what is new (`delta`, e.g. a piece of `code_interpreter.input`), at last the whole call (`done`).
   */
  | { type: 'hosted_call'; phase: 'started' | 'delta' | 'done'; index: number; call: Record<string, unknown> }
  | { type: 'carry'; provider: string; data: unknown }
  | { type: 'usage'; usage: Usage }
  | { type: 'end'; reason: 'stop' | 'length' | 'content_filter' };

export interface Model {
  /** Sends one turn and yields what comes back. Aborting `turn.signal` ends the request at the provider at once. */
  run(turn: Turn): AsyncIterable<ModelEvent>;
  /** Names of the models the provider offers, for the dialog's test button. */
  list?(signal: AbortSignal): Promise<string[]>;
}

/** How a model is chosen: the settings of the config node, already free of `${ENV}`. */
export interface ModelOptions {
  provider: 'rehearsal' | 'chat' | 'responses';
  /** Base address of the provider, e.g. http://127.0.0.1:11434/v1. */
  url?: string;
  apiKey?: string;
  /** Default model for assistants that name none. */
  model?: string;
  /** Ask without streaming when tools are given (servers that cannot do both). */
  noStreamWithTools?: boolean;
  headers?: Record<string, string>;
  /** Milliseconds a request may stay silent. */
  timeout?: number;
  /** Rehearsal only: milliseconds between two words, 0 for none. By default a reply takes less than a second. */
  pace?: number;
  /** For tests and proxies; the platform's fetch otherwise. */
  fetch?: typeof fetch;
}

/**
 * A model could not answer. `code` is the run's `last_error.code` (contract: lifecycle.md §2);
 * `retryAfter` in seconds where the provider named it.
 */
export class ModelError extends Error {
  readonly code: 'server_error' | 'rate_limit_exceeded' | 'invalid_prompt';
  readonly status: number | undefined;
  readonly retryAfter: number | undefined;
  /** True while nothing of the answer had come, so that asking again repeats no paid work. */
  readonly beforeFirstByte: boolean;
  /** True if asking again can help and repeats no paid work: not for a refused key, a bad request, a used-up quota. */
  readonly retryable: boolean;

  constructor(
    message: string,
    options: {
      code?: ModelError['code'];
      status?: number;
      retryAfter?: number;
      beforeFirstByte?: boolean;
      retryable?: boolean;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ModelError';
    this.code = options.code ?? 'server_error';
    this.status = options.status;
    this.retryAfter = options.retryAfter;
    this.beforeFirstByte = options.beforeFirstByte ?? false;
    this.retryable = options.retryable ?? (this.beforeFirstByte && this.code !== 'invalid_prompt');
  }
}
