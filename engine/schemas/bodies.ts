/** What the paths accept (docs/contract.md, Requests); every body refuses unknown keys. */
import * as z from 'zod/mini';
import { ASSISTANT_ID, MAX_COMPLETION_TOKENS, MAX_PROMPT_TOKENS } from '../domain/limits.ts';
import * as field from './fields.ts';

const detail = z.optional(z.enum(['auto', 'low', 'high']));

const contentPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string(), detail }) }),
  z.object({ type: z.literal('image_file'), image_file: z.object({ file_id: z.string(), detail }) }),
]);

const attachment = z.object({
  file_id: z.string(),
  tools: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('code_interpreter') }),
      z.object({ type: z.literal('file_search') }),
    ]),
  ),
});

export const createMessage = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([z.string().check(z.maxLength(256_000)), z.array(contentPart).check(z.minLength(1))]),
  attachments: z.nullish(z.array(attachment)),
  metadata: field.metadata,
});

export const modifyMetadata = z.strictObject({ metadata: field.metadata });

export const createThread = z.strictObject({
  messages: z.optional(z.array(createMessage)),
  tool_resources: field.newToolResources,
  metadata: field.metadata,
});

export const modifyThread = z.strictObject({
  tool_resources: field.toolResources,
  metadata: field.metadata,
});

const assistantFields = {
  name: field.name,
  description: field.description,
  instructions: field.assistantInstructions,
  reasoning_effort: field.reasoningEffort,
  tools: z.optional(field.assistantTools),
  metadata: field.metadata,
  temperature: field.temperature,
  top_p: field.topP,
  response_format: field.responseFormat,
};

export const createAssistant = z.strictObject({
  model: z.string(),
  ...assistantFields,
  tool_resources: field.newToolResources,
});

export const modifyAssistant = z.strictObject({
  model: z.optional(z.string()),
  ...assistantFields,
  tool_resources: field.toolResources,
});

/** A declaration of the config node: a create body whose model may be left to the service, plus its id. */
export const declaredAssistant = z.strictObject({
  id: z.string().check(z.regex(ASSISTANT_ID)),
  model: z.nullish(z.string()),
  ...assistantFields,
  tools: z.optional(field.declaredTools),
  tool_resources: field.toolResources,
});

const runFields = {
  assistant_id: z.string(),
  model: z.nullish(z.string()),
  instructions: z.nullish(z.string()),
  tools: field.runTools,
  metadata: field.metadata,
  temperature: field.temperature,
  top_p: field.topP,
  stream: z.nullish(z.boolean()),
  max_prompt_tokens: z.nullish(field.integer().check(z.gte(MAX_PROMPT_TOKENS.min))),
  max_completion_tokens: z.nullish(field.integer().check(z.gte(MAX_COMPLETION_TOKENS.min))),
  truncation_strategy: field.truncationStrategy,
  tool_choice: field.toolChoice,
  parallel_tool_calls: z.optional(z.boolean()),
  response_format: field.responseFormat,
};

export const createRun = z.strictObject({
  ...runFields,
  reasoning_effort: field.reasoningEffort,
  additional_instructions: z.nullish(z.string()),
  additional_messages: z.nullish(z.array(createMessage)),
});

export const createThreadAndRun = z.strictObject({
  ...runFields,
  thread: z.optional(createThread),
  tool_resources: field.toolResources,
});

export const submitToolOutputs = z.strictObject({
  tool_outputs: z.array(z.object({ tool_call_id: z.string(), output: z.optional(z.string()) })),
  stream: z.nullish(z.boolean()),
});

export type CreateMessage = z.output<typeof createMessage>;
export type CreateThread = z.output<typeof createThread>;
export type CreateAssistant = z.output<typeof createAssistant>;
export type ModifyAssistant = z.output<typeof modifyAssistant>;
export type CreateRun = z.output<typeof createRun>;
export type CreateThreadAndRun = z.output<typeof createThreadAndRun>;
export type SubmitToolOutputs = z.output<typeof submitToolOutputs>;
