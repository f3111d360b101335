/**
 * What the engine asks of a model. A model is a stateless source of tokens: it is given everything a turn
 * needs and answers with events; it knows nothing of threads, runs or the database.
 */

import type { AssistantTool, ResponseFormat, ToolChoice } from '../domain/types.ts';
import type { Usage } from '../domain/usage.ts';
import { type Fault, type FaultKey, wordFault } from './faults.ts';

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
  /**
   * In the message's form without `index`; start_index and end_index count from the last call or hosted call on.
   * `marker` is a text that comes with it, none where it covers what was said before.
   */
  | { type: 'annotation'; marker?: string; annotation: Record<string, unknown> }
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
  /** Whether the provider keeps files, and runs code_interpreter and file_search itself. */
  keepsFiles?: boolean;
  /** Whether the provider, as far as its last list tells, takes names beyond the list. */
  takesAnyName?(): boolean;
  /** Names of the models the provider offers. */
  list?(signal: AbortSignal): Promise<string[]>;
  /** Tokens that a model reads at once, as far as can be found out. */
  contextWindow?(model: string, signal: AbortSignal): Promise<number>;
  /** Whether a model looks at pictures; undefined where that can't be found out. */
  seesPictures?(model: string, signal: AbortSignal): Promise<boolean | undefined>;
}

/** What a provider is asked for where nobody has chosen a model: servers that have only one take any name. */
export const UNNAMED_MODEL = 'default';

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
  /** Milliseconds a request may stay silent; 0 or nothing for as long as the run lives. */
  timeout?: number;
  /** Rehearsal only: milliseconds between two words, 0 for none. By default a reply takes less than a second. */
  pace?: number;
  /** The way to the provider. The platform's own fetch, taken otherwise, gives up after 300 s of silence by itself. */
  fetch?: typeof fetch;
}

/** Why a model could not answer, closer than the three values that the wire has for a run's `last_error.code`. */
export type FailureReason =
  | 'provider_key_refused'
  | 'provider_model_unknown'
  | 'context_length_exceeded'
  | 'provider_request_refused'
  | 'provider_rate_limited'
  | 'provider_quota'
  | 'provider_unreachable'
  | 'provider_silent'
  | 'provider_failed';

type WireCode = 'server_error' | 'rate_limit_exceeded' | 'invalid_prompt';

/** Each reason's value of `last_error.code` (docs: the run's states). */
const WIRE_CODES: Record<FailureReason, WireCode> = {
  provider_key_refused: 'server_error',
  provider_model_unknown: 'server_error',
  context_length_exceeded: 'invalid_prompt',
  provider_request_refused: 'invalid_prompt',
  provider_rate_limited: 'rate_limit_exceeded',
  provider_quota: 'rate_limit_exceeded',
  provider_unreachable: 'server_error',
  provider_silent: 'server_error',
  provider_failed: 'server_error',
};

const HELPED_BY_ASKING_AGAIN: readonly FailureReason[] = [
  'provider_rate_limited',
  'provider_unreachable',
  'provider_failed',
];

/** A model could not answer. */
export class ModelError extends Error {
  readonly reason: FailureReason;
  /** HTTP status, where the provider answered with one. */
  readonly status: number | undefined;
  /** Milliseconds, where the provider named a time to wait. */
  readonly retryAfter: number | undefined;
  /** True while nothing of the answer had come, so that asking again repeats no paid work. */
  readonly beforeFirstByte: boolean;
  /** True if asking again can help and repeats no paid work: not for a refused key, a bad request, a used-up quota. */
  readonly retryable: boolean;
  /** Which sentence it is, for those who word it in another language. */
  readonly fault: Fault;

  /** @param values fill the placeholders of the sentence */
  constructor(
    key: FaultKey,
    values: Fault['values'] = {},
    options: {
      reason?: FailureReason;
      status?: number;
      retryAfter?: number;
      beforeFirstByte?: boolean;
      retryable?: boolean;
      cause?: unknown;
    } = {},
  ) {
    const fault = { key, values };
    super(wordFault(fault), { cause: options.cause });
    this.name = 'ModelError';
    this.fault = fault;
    this.reason = options.reason ?? 'provider_failed';
    this.status = options.status;
    this.retryAfter = options.retryAfter;
    this.beforeFirstByte = options.beforeFirstByte ?? false;
    this.retryable =
      options.retryable ?? (this.beforeFirstByte && HELPED_BY_ASKING_AGAIN.includes(this.reason));
  }

  /** The same failure in another sentence. */
  as(key: FaultKey, values: Fault['values']): ModelError {
    const { reason, status, retryAfter, beforeFirstByte, retryable } = this;
    return new ModelError(key, values, { reason, status, retryAfter, beforeFirstByte, retryable });
  }

  /** The same failure with every text of it changed, e.g. without secrets. */
  mapped(change: (text: string) => string): ModelError {
    const { key, values } = this.fault;
    const changed = Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' ? change(value) : value,
    ]);
    return this.as(key, Object.fromEntries(changed));
  }

  /** The run's `last_error.code`. */
  get code(): WireCode {
    return WIRE_CODES[this.reason];
  }
}
