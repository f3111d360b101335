/** The assistants of the dialog, as the engine takes them. */

import type { AssistantDeclaration } from '../../engine/index.ts';
import { RunsError } from '../shared/errors.ts';
import type { ServiceTranslate } from '../shared/texts.ts';

/** Fields that the dialog may save as the text of a JSON editor. */
const JSON_FIELDS = ['tools', 'response_format', 'tool_resources', 'metadata'];

/**
 * Reads the saved list. Empty fields are left out, so that the engine's and the model's defaults hold.
 * @throws RunsError naming the assistant and the field that is no JSON, or the assistant without an id
 */
export function declarations(saved: Record<string, unknown>[], t: ServiceTranslate): AssistantDeclaration[] {
  return saved.map((entry, index) => {
    const id = typeof entry.id === 'string' ? entry.id.trim() : '';
    const who = id || String(entry.name ?? index + 1);
    if (id === '')
      throw new RunsError(t('error.assistantId', { assistant: who }), { code: 'invalid_assistant' });
    const read = (name: string, value: unknown): unknown => {
      if (typeof value !== 'string' || !JSON_FIELDS.includes(name) || value === 'auto') return value;
      try {
        return JSON.parse(value);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new RunsError(t('error.assistantJson', { assistant: who, field: name, reason }), {
          code: 'invalid_assistant',
          param: name,
        });
      }
    };
    const filled = Object.entries(entry).filter(
      ([, value]) => value !== '' && value !== undefined && value !== null,
    );
    return { ...Object.fromEntries(filled.map(([name, value]) => [name, read(name, value)])), id };
  });
}
