/** Names for the controls that a typedInput is made of. */
import type { RunsText } from '../texts.ts';
import { textsOf } from './texts.ts';

const text = textsOf<RunsText>('openai-runs');

/**
 * A typedInput is several controls without names: ties them to their label, for the pointer and for readers.
 * @param row holds the typedInput
 * @param id the one that the visible input gets; its label has it with `-label` behind
 */
export function nameParts(row: JQuery, id: string, name: string): void {
  const container = row.find('.red-ui-typedInput-container').first();
  container.attr({ role: 'group', 'aria-labelledby': `${id}-label` });
  container.find('input.red-ui-typedInput-input').attr({ id, 'aria-labelledby': `${id}-label` });
  container.find('.red-ui-typedInput-type-select').attr('aria-label', text('aria.type', { name }));
  container.find('.red-ui-typedInput-option-trigger').attr('aria-label', text('aria.choose', { name }));
  container.find('.red-ui-typedInput-option-expand').attr('aria-label', text('aria.expand', { name }));
}
