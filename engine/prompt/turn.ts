/** Makes a turn of a run: what it was asked to do, what is left of its budgets, and the prompt that fits. */
import type { Turn } from '../models/model.ts';
import type { Stored } from '../store/records.ts';
import { holdAttempt, keepWindow } from '../store/runs.ts';
import type { Db } from '../store/store.ts';
import { PromptBuilder } from './prompt.ts';

/** Part of the window that is left to the answer where the run names no lower limit of its own. */
const ANSWER_SHARE = 0.125;

/** The run's token budget was used up before the model could be asked. */
export class BudgetSpent extends Error {
  readonly reason: 'max_prompt_tokens' | 'max_completion_tokens';

  constructor(reason: BudgetSpent['reason']) {
    super(reason);
    this.name = 'BudgetSpent';
    this.reason = reason;
  }
}

/** Tokens that the run may still use; Infinity where it named no limit. Budgets are totals over the whole run. */
function budgetLeft({ usage: used, options }: Stored<'runs'>) {
  const { maxPromptTokens, maxCompletionTokens } = options;
  const prompt = (maxPromptTokens ?? Infinity) - used.prompt_tokens;
  const completion = (maxCompletionTokens ?? Infinity) - used.completion_tokens;
  if (completion <= 0) throw new BudgetSpent('max_completion_tokens');
  if (prompt <= 0) throw new BudgetSpent('max_prompt_tokens');
  return { prompt, completion };
}

/**
 * The run's next turn. Remembers where the prompt's window begins, so that later prompts of the run only grow.
 * @param contextWindow tokens that the model reads.
 * @throws BudgetSpent when what is left does not pay for another turn; Superseded where another put an end to the attempt
 */
export async function prepareTurn(
  db: Db,
  run: Stored<'runs'>,
  contextWindow: number,
  signal: AbortSignal,
): Promise<Turn> {
  const { options } = run;
  const left = budgetLeft(run);
  const answer = Math.min(left.completion, contextWindow * ANSWER_SHARE);
  const room = Math.min(contextWindow - answer, left.prompt);
  const { items, tokens, windowFrom, windowHead } = await new PromptBuilder(db, run).build(room);
  if (tokens > left.prompt) throw new BudgetSpent('max_prompt_tokens');
  // Once the attempt is over the thread goes on without it: what was read may be of later runs.
  if (run.window_from === windowFrom && run.window_head === windowHead) await holdAttempt(db, run);
  else await keepWindow(db, run, { window_from: windowFrom, window_head: windowHead });
  // A forced choice holds until a tool has answered, or the run would never come to its own answer.
  const forced = typeof options.toolChoice === 'object' || options.toolChoice === 'required';
  const toolAnswered = items.at(-1)?.type === 'output';
  return {
    model: options.model,
    instructions: options.instructions,
    items,
    tools: options.tools,
    toolChoice: forced && toolAnswered ? 'auto' : options.toolChoice,
    parallelToolCalls: options.parallelToolCalls,
    temperature: options.temperature,
    topP: options.topP,
    responseFormat: options.responseFormat,
    reasoningEffort: options.reasoningEffort,
    maxCompletionTokens: Number.isFinite(left.completion) ? left.completion : null,
    toolResources: options.toolResources as Record<string, unknown>,
    signal,
  };
}
