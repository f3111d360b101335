/** Fields that several bodies share, with their limits (docs/contract.md, Requests). */
import * as z from 'zod/mini';
import {
  FUNCTION_NAME,
  LONGEST_FUNCTION_NAME,
  REASONING_EFFORTS,
  TEMPERATURE,
  TOP_P,
} from '../domain/limits.ts';
import { INTEGER } from './translate.ts';

/** A whole number; its name goes into the error's text. */
export const integer = () => z.int(INTEGER);

const within = ({ min, max }: { min: number; max: number }) => z.number().check(z.gte(min), z.lte(max));

const MAX_METADATA_PAIRS = 16;

const upTo = (maximum: number) => z.string().check(z.maxLength(maximum));

export const metadata = z.nullish(
  z.record(upTo(64), upTo(512)).check((context) => {
    const { length } = Object.keys(context.value);
    if (length <= MAX_METADATA_PAIRS) return;
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: `too many properties. Expected an object with at most ${MAX_METADATA_PAIRS} properties, but got an object with ${length} properties instead.`,
      params: { code: 'object_above_max_properties' },
    });
  }),
);

export const name = z.nullish(upTo(256));
export const description = z.nullish(upTo(512));
export const assistantInstructions = z.nullish(upTo(256_000));
export const temperature = z.nullish(within(TEMPERATURE));
export const topP = z.nullish(within(TOP_P));

export const reasoningEffort = z.nullish(z.enum(REASONING_EFFORTS));

/** Far beyond any schema that is written by hand; deeper, it could be read but not written down again. */
const MAX_DEPTH = 100;

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/**
 * Characters of JSON in one schema, or in all tools together. A run reads and writes them several times, each time in
 * one piece: this much keeps the process from everything else for some 40 ms, 100,000 choices for half a second.
 */
const MAX_JSON_LENGTH = 512_000;

/** What a value's JSON leaves of `room` characters; negative as soon as it is too long, without going on. */
function roomAfter(room: number, value: unknown, depth = 0): number {
  if (typeof value === 'string') return room - value.length - 2;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return room - 4;
  let left = room;
  for (const [key, inner] of Object.entries(value)) {
    left = roomAfter(Array.isArray(value) ? left - 1 : left - key.length - 4, inner, depth + 1);
    if (left < 0) break;
  }
  return left;
}

const notTooLong = z.check<unknown>((context) => {
  if (roomAfter(MAX_JSON_LENGTH, context.value) >= 0) return;
  context.issues.push({
    code: 'custom',
    input: context.value,
    message: `${Array.isArray(context.value) ? 'array' : 'object'} too large. Expected at most ${MAX_JSON_LENGTH} characters of JSON.`,
    params: { code: 'json_above_max_length' },
  });
});

const notTooDeep = z.check<unknown>((context) => {
  if (!isDeeperThan(MAX_DEPTH, context.value)) return;
  context.issues.push({
    code: 'custom',
    input: context.value,
    message: `object too deep. Expected an object with at most ${MAX_DEPTH} levels of nesting.`,
    params: { code: 'object_above_max_depth' },
  });
});

/** A JSON Schema, whose words are the model's affair. */
const jsonSchema = z.record(z.string(), z.unknown()).check(notTooLong, notTooDeep);

const functionName = upTo(LONGEST_FUNCTION_NAME).check(z.minLength(1), (context) => {
  if (context.value === '' || FUNCTION_NAME.test(context.value)) return;
  context.issues.push({
    code: 'custom',
    input: context.value,
    message: `string does not match pattern. Expected a string that matches the pattern '${FUNCTION_NAME.source}'.`,
    params: { code: 'invalid_value' },
  });
});

const functionDefinition = (name: typeof functionName) =>
  z.object({
    name,
    description: z.optional(z.string()),
    parameters: z.optional(jsonSchema),
    strict: z.nullish(z.boolean()),
  });

const fileSearchOptions = z.object({
  max_num_results: z.optional(integer().check(z.gte(1), z.lte(50))),
  ranking_options: z.optional(
    z.object({
      ranker: z.optional(z.enum(['auto', 'default_2024_08_21'])),
      score_threshold: within({ min: 0, max: 1 }),
    }),
  ),
});

const toolNamed = (name: typeof functionName) =>
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('code_interpreter') }),
    z.object({ type: z.literal('file_search'), file_search: z.optional(fileSearchOptions) }),
    z.object({ type: z.literal('function'), function: functionDefinition(name) }),
  ]);

const tool = toolNamed(functionName);

/** The same in a saved flow, which may be older than the rule for names: the model server is the judge there. */
export const declaredTools = z
  .array(toolNamed(upTo(LONGEST_FUNCTION_NAME).check(z.minLength(1))))
  .check(z.maxLength(128));
/** Tools of an assistant: 128. */
export const assistantTools = z.array(tool).check(z.maxLength(128), notTooLong);
/** Tools of one run: 20. */
export const runTools = z.nullish(z.array(tool).check(z.maxLength(20), notTooLong));

const fileIds = z.optional(z.array(z.string()).check(z.maxLength(20)));
const vectorStoreIds = z.optional(z.array(z.string()).check(z.maxLength(1)));

export const toolResources = z.nullish(
  z.strictObject({
    code_interpreter: z.optional(z.strictObject({ file_ids: fileIds })),
    file_search: z.optional(z.strictObject({ vector_store_ids: vectorStoreIds })),
  }),
);

/** Creating bodies may also ask for a new vector store, which this service cannot keep. */
export const newToolResources = z.nullish(
  z.strictObject({
    code_interpreter: z.optional(z.strictObject({ file_ids: fileIds })),
    file_search: z.optional(
      z.strictObject({
        vector_store_ids: vectorStoreIds,
        vector_stores: z.optional(
          z.array(z.unknown()).check((context) => {
            if (context.value.length === 0) return;
            context.issues.push({
              code: 'custom',
              input: context.value,
              message: 'This service keeps no files; name an existing vector store in vector_store_ids.',
            });
          }),
        ),
      }),
    ),
  }),
);

export const responseFormat = z.nullish(
  z.union([
    z.enum(['auto']),
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('json_object') }),
      z.object({
        type: z.literal('json_schema'),
        json_schema: z.object({
          name: z.string(),
          description: z.optional(z.string()),
          schema: z.optional(jsonSchema),
          strict: z.nullish(z.boolean()),
        }),
      }),
    ]),
  ]),
);

export const toolChoice = z.nullish(
  z.union([
    z.enum(['none', 'auto', 'required']),
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
      z.object({ type: z.literal('code_interpreter') }),
      z.object({ type: z.literal('file_search') }),
    ]),
  ]),
);

export const truncationStrategy = z.nullish(
  z.object({
    type: z.enum(['auto', 'last_messages']),
    last_messages: z.nullish(integer().check(z.gte(1))),
  }),
);
