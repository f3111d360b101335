/** Query strings. Everything arrives as text; numbers are read before they are judged. */
import * as z from 'zod/mini';
import { PAGE_LIMIT } from '../domain/limits.ts';
import { integer } from './fields.ts';
import { parse } from './translate.ts';

const INCLUDE = 'step_details.tool_calls[*].file_search.results[*].content';

const listSchema = z.object({
  // 0 is refused as the spec has it (1 to 100): an empty page would end every program's paging in silence.
  limit: z._default(integer().check(z.gte(PAGE_LIMIT.min), z.lte(PAGE_LIMIT.max)), 20),
  order: z._default(z.enum(['asc', 'desc']), 'desc'),
  after: z.optional(z.string()),
  before: z.optional(z.string()),
  run_id: z.optional(z.string()),
});

const includeSchema = z.object({ include: z.array(z.enum([INCLUDE])) });

const rejoinSchema = z.object({ starting_after: z.optional(integer().check(z.gte(0))) });

export type ListQuery = z.output<typeof listSchema>;

/** An empty value counts as absent, as in `?after=`. */
const text = (query: URLSearchParams, name: string) => query.get(name) || undefined;

/**
 * Paging of a list: limit 1–100 (20), order (desc), after and before as object ids.
 * @throws ApiError 400.
 */
export function parseListQuery(query: URLSearchParams): ListQuery {
  const limit = text(query, 'limit');
  return parse(listSchema, {
    limit: limit === undefined ? undefined : /^-?\d+(\.\d+)?$/.test(limit) ? Number(limit) : limit,
    order: text(query, 'order'),
    after: text(query, 'after'),
    before: text(query, 'before'),
    run_id: text(query, 'run_id'),
  });
}

/**
 * Whether the content of file search results was asked for.
 * @throws ApiError 400 for any other `include`.
 */
export function parseInclude(query: URLSearchParams): { fileSearchContent: boolean } {
  const { include } = parse(includeSchema, {
    include: [...query.getAll('include[]'), ...query.getAll('include')],
  });
  return { fileSearchContent: include.length > 0 };
}

/**
 * The number of the last event that a reader who comes back has.
 * @throws ApiError 400.
 */
export function parseStartingAfter(query: URLSearchParams): number | undefined {
  const after = text(query, 'starting_after');
  const starting_after = after !== undefined && /^-?\d+$/.test(after) ? Number(after) : after;
  return parse(rejoinSchema, { starting_after }).starting_after;
}
