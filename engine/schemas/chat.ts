/** What POST /chat/completions accepts. Programs send much that has no meaning here; it is passed over. */
import * as z from 'zod/mini';
import * as field from './fields.ts';

const part = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('image_url'),
    image_url: z.object({ url: z.string(), detail: z.optional(z.enum(['auto', 'low', 'high'])) }),
  }),
]);

const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.nullish(z.union([z.string(), z.array(part)])),
  tool_call_id: z.optional(z.string()),
  tool_calls: z.nullish(
    z.array(z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) })),
  ),
});

export const chatCompletion = z.object({
  /** An assistant's id or name. */
  model: z.string(),
  messages: z.array(message).check(z.minLength(1)),
  stream: z.nullish(z.boolean()),
  stream_options: z.nullish(z.object({ include_usage: z.optional(z.boolean()) })),
  /** Names the conversation that is kept. */
  user: z.nullish(z.string()),
  tools: z.nullish(field.assistantTools),
  tool_choice: field.toolChoice,
  parallel_tool_calls: z.optional(z.boolean()),
  response_format: field.responseFormat,
  temperature: field.temperature,
  top_p: field.topP,
  max_tokens: z.nullish(field.integer().check(z.gte(1))),
  max_completion_tokens: z.nullish(field.integer().check(z.gte(1))),
});

export type ChatCompletion = z.output<typeof chatCompletion>;
export type ChatMessage = ChatCompletion['messages'][number];
