/** What a turn has cost, for providers that don't say. */
import { countQuarters, countTokens, PICTURE_TOKENS } from '../domain/tokens.ts';
import type { Usage } from '../domain/usage.ts';
import type { ModelEvent, Turn } from './model.ts';

/** A number of tokens as a provider gives it; undefined for anything that is none. */
export const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

/** All words of a turn that a model reads: instructions, items, tools. */
function promptText({ instructions, items, tools }: Turn): string {
  const parts = items.map((item) => {
    if (item.type === 'output') return item.output;
    if (item.type === 'call') return item.name + item.arguments;
    if (item.type === 'carry') return '';
    return item.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  });
  return [instructions ?? '', ...parts, tools.length ? JSON.stringify(tools) : ''].join('');
}

/** Pictures and files of a turn: how long their addresses are says nothing. */
function countPictures({ items }: Turn): number {
  const contents = items.flatMap((item) => (item.type === 'message' ? item.content : []));
  return contents.filter(({ type }) => type !== 'text').length;
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
    const prompt = countTokens(promptText(turn)) + countPictures(turn) * PICTURE_TOKENS;
    const completion = Math.ceil(this.#quarters / 4);
    return {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
    };
  }
}
