/** The shapes of docs/contract.md, to hold every object and event of the engine against. Nothing beyond them passes. */
import * as z from 'zod/mini';
import type { Frame, Json } from './support.ts';

const seconds = z.int();
const maybe = z.nullable(seconds);
const count = z.int().check(z.gte(0));
const id = (prefix: string) => z.string().check(z.regex(new RegExp(`^${prefix}_[A-Za-z0-9]{24}$`)));
/** Declared assistants have the ids that people gave them. */
const assistantId = z.string().check(z.minLength(1));
const metadata = z.record(z.string(), z.string());

const usage = z.nullable(
  z.strictObject({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_token_details: z.strictObject({ cached_tokens: count }),
    completion_tokens_details: z.strictObject({ reasoning_tokens: count }),
  }),
);

const tool = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('code_interpreter') }),
  z.strictObject({
    type: z.literal('file_search'),
    file_search: z.strictObject({
      max_num_results: z.optional(z.int()),
      ranking_options: z.strictObject({ ranker: z.string(), score_threshold: z.number() }),
    }),
  }),
  z.strictObject({
    type: z.literal('function'),
    function: z.strictObject({
      name: z.string(),
      description: z.optional(z.string()),
      parameters: z.record(z.string(), z.unknown()),
      strict: z.boolean(),
    }),
  }),
]);

const toolResources = z.strictObject({
  code_interpreter: z.optional(z.strictObject({ file_ids: z.array(z.string()) })),
  file_search: z.optional(z.strictObject({ vector_store_ids: z.array(z.string()) })),
});

const responseFormat = z.union([
  z.literal('auto'),
  z.object({ type: z.enum(['text', 'json_object', 'json_schema']) }),
]);
const effort = z.nullable(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']));

const assistant = z.strictObject({
  id: assistantId,
  object: z.literal('assistant'),
  created_at: seconds,
  name: z.nullable(z.string()),
  description: z.nullable(z.string()),
  model: z.string(),
  instructions: z.nullable(z.string()),
  tools: z.array(tool),
  tool_resources: toolResources,
  metadata,
  temperature: z.number(),
  top_p: z.number(),
  reasoning_effort: effort,
  response_format: responseFormat,
});

const thread = z.strictObject({
  id: id('thread'),
  object: z.literal('thread'),
  created_at: seconds,
  metadata,
  tool_resources: toolResources,
});

const annotation = z.object({ type: z.string(), text: z.string(), start_index: z.int(), end_index: z.int() });
const detail = z.enum(['auto', 'low', 'high']);

const message = z.strictObject({
  id: id('msg'),
  object: z.literal('thread.message'),
  created_at: seconds,
  assistant_id: z.nullable(assistantId),
  thread_id: id('thread'),
  run_id: z.nullable(id('run')),
  status: z.enum(['in_progress', 'incomplete', 'completed']),
  incomplete_details: z.nullable(
    z.strictObject({
      reason: z.enum(['content_filter', 'max_tokens', 'run_cancelled', 'run_expired', 'run_failed']),
    }),
  ),
  incomplete_at: maybe,
  completed_at: maybe,
  role: z.enum(['user', 'assistant']),
  content: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('text'),
        text: z.strictObject({ value: z.string(), annotations: z.array(annotation) }),
      }),
      z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
      z.strictObject({
        type: z.literal('image_url'),
        image_url: z.strictObject({ url: z.string(), detail }),
      }),
      z.strictObject({
        type: z.literal('image_file'),
        image_file: z.strictObject({ file_id: z.string(), detail }),
      }),
    ]),
  ),
  attachments: z.array(
    z.strictObject({ file_id: z.string(), tools: z.array(z.object({ type: z.string() })) }),
  ),
  metadata,
});

const lastError = <Codes extends readonly string[]>(codes: Codes) =>
  z.nullable(z.strictObject({ code: z.enum(codes), message: z.string().check(z.minLength(1)) }));

const requiredCall = z.strictObject({
  id: id('call'),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});

const run = z.strictObject({
  id: id('run'),
  object: z.literal('thread.run'),
  created_at: seconds,
  assistant_id: assistantId,
  thread_id: id('thread'),
  status: z.enum([
    'queued',
    'in_progress',
    'requires_action',
    'cancelling',
    'cancelled',
    'failed',
    'completed',
    'incomplete',
    'expired',
  ]),
  started_at: maybe,
  expires_at: maybe,
  cancelled_at: maybe,
  failed_at: maybe,
  completed_at: maybe,
  required_action: z.nullable(
    z.strictObject({
      type: z.literal('submit_tool_outputs'),
      submit_tool_outputs: z.strictObject({ tool_calls: z.array(requiredCall).check(z.minLength(1)) }),
    }),
  ),
  last_error: lastError(['server_error', 'rate_limit_exceeded', 'invalid_prompt']),
  model: z.string(),
  instructions: z.nullable(z.string()),
  tools: z.array(tool),
  tool_resources: toolResources,
  metadata,
  temperature: z.number(),
  top_p: z.number(),
  reasoning_effort: effort,
  max_completion_tokens: z.nullable(z.int()),
  max_prompt_tokens: z.nullable(z.int()),
  truncation_strategy: z.strictObject({
    type: z.enum(['auto', 'last_messages']),
    last_messages: z.nullable(z.int()),
  }),
  incomplete_details: z.nullable(
    z.strictObject({ reason: z.optional(z.enum(['max_completion_tokens', 'max_prompt_tokens'])) }),
  ),
  usage,
  response_format: responseFormat,
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.object({ type: z.string() })]),
  parallel_tool_calls: z.boolean(),
});

const functionCall = z.strictObject({
  id: id('call'),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string(), output: z.nullable(z.string()) }),
});
const hostedCall = z.object({ id: id('call'), type: z.enum(['code_interpreter', 'file_search']) });
const madeMessage = z.strictObject({
  type: z.literal('message_creation'),
  message_creation: z.strictObject({ message_id: id('msg') }),
});

const step = z.strictObject({
  id: id('step'),
  object: z.literal('thread.run.step'),
  created_at: seconds,
  run_id: id('run'),
  assistant_id: assistantId,
  thread_id: id('thread'),
  type: z.enum(['message_creation', 'tool_calls']),
  status: z.enum(['in_progress', 'cancelled', 'failed', 'completed', 'expired']),
  cancelled_at: maybe,
  completed_at: maybe,
  expires_at: maybe,
  expired_at: maybe,
  failed_at: maybe,
  last_error: lastError(['server_error', 'rate_limit_exceeded']),
  step_details: z.discriminatedUnion('type', [
    madeMessage,
    z.strictObject({
      type: z.literal('tool_calls'),
      tool_calls: z.array(z.union([functionCall, hostedCall])),
    }),
  ]),
  metadata: z.strictObject({}),
  usage,
});

const index = z.int().check(z.gte(0));

const messageDelta = z.strictObject({
  id: id('msg'),
  object: z.literal('thread.message.delta'),
  delta: z.strictObject({
    content: z
      .array(
        z.union([
          z.strictObject({
            index,
            type: z.literal('text'),
            text: z.strictObject({
              value: z.string(),
              annotations: z.optional(z.array(z.extend(annotation, { index }))),
            }),
          }),
          z.strictObject({ index, type: z.literal('refusal'), refusal: z.string() }),
        ]),
      )
      .check(z.length(1)),
  }),
});

const stepDelta = z.strictObject({
  id: id('step'),
  object: z.literal('thread.run.step.delta'),
  delta: z.strictObject({
    step_details: z.strictObject({
      type: z.literal('tool_calls'),
      tool_calls: z
        .array(
          z.union([
            z.extend(functionCall, { index }),
            z.strictObject({
              index,
              type: z.literal('function'),
              function: z.strictObject({ arguments: z.string() }),
            }),
            z.object({ index, type: z.enum(['code_interpreter', 'file_search']) }),
          ]),
        )
        .check(z.length(1)),
    }),
  }),
});

const error = z.strictObject({
  message: z.string().check(z.minLength(1)),
  type: z.string(),
  param: z.nullable(z.string()),
  code: z.nullable(z.string()),
});

const list = <T extends z.core.$ZodType>(item: T) =>
  z.strictObject({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.nullable(z.string()),
    last_id: z.nullable(z.string()),
    has_more: z.boolean(),
  });
const deleted = (object: string) =>
  z.strictObject({ id: z.string(), object: z.literal(object), deleted: z.literal(true) });

const SHAPES = {
  AssistantObject: assistant,
  ThreadObject: thread,
  MessageObject: message,
  RunObject: run,
  RunStepObject: step,
  ListAssistantsResponse: list(assistant),
  ListMessagesResponse: list(message),
  ListRunsResponse: list(run),
  ListRunStepsResponse: list(step),
  DeleteAssistantResponse: deleted('assistant.deleted'),
  DeleteThreadResponse: deleted('thread.deleted'),
  DeleteMessageResponse: deleted('thread.message.deleted'),
  ErrorResponse: z.strictObject({ error }),
};

/** What an event's data is, by the event's name: every name that there is. */
function shapeOf(event: string): z.core.$ZodType | undefined {
  const [, kind, name] = /^thread(?:\.(run|run\.step|message))?\.([a-z_]+)$/.exec(event) ?? [
    undefined,
    undefined,
    event,
  ];
  const names = (all: string) => all.split(' ').includes(name ?? '');
  switch (kind) {
    case undefined:
      return { created: thread, error, done: z.literal('[DONE]') }[name ?? ''];
    case 'run':
      return names(
        'created queued in_progress requires_action completed incomplete failed cancelling cancelled expired',
      )
        ? run
        : undefined;
    case 'run.step':
      if (name === 'delta') return stepDelta;
      return names('created in_progress completed failed cancelled expired') ? step : undefined;
    default:
      if (name === 'delta') return messageDelta;
      return names('created in_progress completed incomplete') ? message : undefined;
  }
}

/** Every path of the API with its methods. */
export const OPERATIONS = [
  'GET POST /assistants',
  'GET POST DELETE /assistants/{assistant_id}',
  'POST /threads',
  'POST /threads/runs',
  'GET POST DELETE /threads/{thread_id}',
  'GET POST /threads/{thread_id}/messages',
  'GET POST DELETE /threads/{thread_id}/messages/{message_id}',
  'GET POST /threads/{thread_id}/runs',
  'GET POST /threads/{thread_id}/runs/{run_id}',
  'POST /threads/{thread_id}/runs/{run_id}/cancel',
  'GET /threads/{thread_id}/runs/{run_id}/steps',
  'GET /threads/{thread_id}/runs/{run_id}/steps/{step_id}',
  'POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs',
].flatMap((line) => {
  const words = line.split(' ');
  const path = words.pop()!;
  return words.map((method) => ({ method, path }));
});

/** @throws Error that names what is wrong with the value */
function hold(shape: z.core.$ZodType, what: string, value: Json): void {
  const result = z.safeParse(shape, value);
  if (result.success) return;
  throw new Error(`Not a ${what}: ${z.prettifyError(result.error)}\n${JSON.stringify(value, null, 1)}`);
}

export type Shape = keyof typeof SHAPES;

export const holdObject = (name: Shape, value: Json): void => hold(SHAPES[name], name, value);

/** Holds an event's data against what its name stands for. */
export function holdFrame({ event, data }: Frame): void {
  const shape = shapeOf(event);
  if (!shape) throw new Error(`No such event: ${event}`);
  hold(shape, event, data);
}
