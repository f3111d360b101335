/** Parameters that several methods share. */
import type { AssistantCreateParams, AssistantUpdateParams } from 'openai/resources/beta/assistants';
import type { RunCreateParams, RunListParams } from 'openai/resources/beta/threads/runs/runs';
import type { StepListParams } from 'openai/resources/beta/threads/runs/steps';
import type { ThreadCreateAndRunParams, ThreadUpdateParams } from 'openai/resources/beta/threads/threads';
import {
  MAX_COMPLETION_TOKENS,
  MAX_PROMPT_TOKENS,
  PAGE_LIMIT,
  REASONING_EFFORTS,
  TEMPERATURE,
  TOP_P,
} from '../../../engine/domain/limits.ts';
import type { Parameter, Parameters } from './method.ts';

/** What two of the SDK's parameter types have in common: a spread is not held against the whole type, this is. */
type Shared<A, B> = Pick<A, keyof A & keyof B>;

export const pathId = { in: 'path', type: 'id', required: true } as const satisfies Parameter;

/** Paging of every list: cursors are object ids, 1–100 items a page. */
export const paging = {
  limit: { in: 'query', type: 'integer', range: PAGE_LIMIT },
  order: { in: 'query', type: 'string', enum: ['asc', 'desc'] },
  after: { in: 'query', type: 'string' },
  before: { in: 'query', type: 'string' },
} as const satisfies Parameters<Shared<RunListParams, StepListParams>>;

export const include = {
  in: 'query',
  type: 'array',
  items: 'string',
} as const satisfies Parameter;

export const metadata = { in: 'body', type: 'object', nullable: true } as const satisfies Parameter;

/** What a thread keeps beside its messages. */
export const notes = {
  tool_resources: { in: 'body', type: 'object', nullable: true },
  metadata,
} as const satisfies Parameters<ThreadUpdateParams>;

/** How a model answers, for one run or for all runs of an assistant. */
const sampling = {
  response_format: { in: 'body', type: ['string', 'object'], enum: ['auto'], nullable: true },
  temperature: { in: 'body', type: 'number', range: TEMPERATURE, nullable: true },
  top_p: { in: 'body', type: 'number', range: TOP_P, nullable: true },
} as const satisfies Parameters<Pick<AssistantCreateParams, 'response_format' | 'temperature' | 'top_p'>>;

/** What an assistant is made of. */
export const assistantFields = {
  name: { in: 'body', type: 'string', nullable: true },
  description: { in: 'body', type: 'string', nullable: true },
  instructions: { in: 'body', type: 'string', nullable: true },
  model: { in: 'body', type: 'string' },
  tools: { in: 'body', type: 'array', items: 'object' },
  reasoning_effort: { in: 'body', type: 'string', nullable: true, enum: REASONING_EFFORTS },
  ...sampling,
  ...notes,
} as const satisfies Parameters<Shared<AssistantCreateParams, AssistantUpdateParams>>;

/** What createRun and createThreadAndRun both take to shape a run. */
export const runOptions = {
  instructions: { in: 'body', type: 'string', nullable: true },
  model: { in: 'body', type: 'string', nullable: true },
  tools: { in: 'body', type: 'array', items: 'object', nullable: true },
  tool_choice: { in: 'body', type: ['string', 'object'], enum: ['none', 'auto', 'required'], nullable: true },
  parallel_tool_calls: { in: 'body', type: 'boolean' },
  ...sampling,
  max_prompt_tokens: { in: 'body', type: 'integer', range: MAX_PROMPT_TOKENS, nullable: true },
  max_completion_tokens: { in: 'body', type: 'integer', range: MAX_COMPLETION_TOKENS, nullable: true },
  truncation_strategy: { in: 'body', type: 'object', nullable: true },
  metadata,
} as const satisfies Parameters<Omit<Shared<RunCreateParams, ThreadCreateAndRunParams>, 'assistant_id'>>;
