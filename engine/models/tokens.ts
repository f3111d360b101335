/** What a turn has cost, for providers that don't say. */
import { countQuarters, countTokens } from '../domain/tokens.ts';
import type { Usage } from '../domain/usage.ts';
import type { ModelEvent, Turn } from './model.ts';

/** A number of tokens as a provider gives it; undefined for anything that is none. */
export const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

/** Everything of a turn that a model reads: instructions, items, tools. Pictures and files count by their names. */
function promptText({ instructions, items, tools }: Turn): string {
  const parts = items.map((item) => {
    if (item.type === 'output') return item.output;
    if (item.type === 'call') return item.name + item.arguments;
    if (item.type === 'carry') return '';
    return item.content.map((part) => (part.type === 'text' ? part.text : JSON.stringify(part))).join('');
  });
  return [instructions ?? '', ...parts, tools.length ? JSON.stringify(tools) : ''].join('');
}

/** Counts what a turn says as it passes by, for providers that send no usage. */
export class UsageEstimate {
  #quarters = 0;

  see(event: ModelEvent): void {
    if (event.type === 'text' || event.type === 'refusal' || event.type === 'call_arguments')
      this.#quarters += countQuarters(event.delta);
    if (event.type === 'call') this.#quarters += countQuarters(event.name);
  }

  of(turn: Turn): Usage {
    const prompt = countTokens(promptText(turn));
    const completion = Math.ceil(this.#quarters / 4);
    return {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
    };
  }
}
