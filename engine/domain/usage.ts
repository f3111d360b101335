/** What models count: tokens of a turn, of a step, of a run. */

/** Tokens; `prompt_tokens` holds the cached ones too, `completion_tokens` those of reasoning. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cached_tokens?: number;
  reasoning_tokens?: number;
}

export const EMPTY_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

/** The sum, part by part. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
    cached_tokens: (a.cached_tokens ?? 0) + (b.cached_tokens ?? 0),
    reasoning_tokens: (a.reasoning_tokens ?? 0) + (b.reasoning_tokens ?? 0),
  };
}

/** What was used since, part by part. @param before what `total` holds of earlier */
export function usageSince(before: Usage, total: Usage): Usage {
  return {
    prompt_tokens: total.prompt_tokens - before.prompt_tokens,
    completion_tokens: total.completion_tokens - before.completion_tokens,
    total_tokens: total.total_tokens - before.total_tokens,
    cached_tokens: (total.cached_tokens ?? 0) - (before.cached_tokens ?? 0),
    reasoning_tokens: (total.reasoning_tokens ?? 0) - (before.reasoning_tokens ?? 0),
  };
}
