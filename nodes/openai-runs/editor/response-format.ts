/** The response format of a run: text, any JSON object or JSON with a schema, as an assistant's is chosen. */
import { jsonType, parsedJson, schemaFormat } from '../../shared/editor/json-input.ts';
import { text } from './i18n.ts';
import type { SavedField } from './saved-field.ts';

/** The types under which a format is chosen; saved is what the API takes. */
const CHOSEN = 'format';
const SCHEMA = 'schema';

/** What a choice stands for, as it is saved. */
const CHOICES: Record<string, SavedField> = {
  auto: { value: 'auto', type: 'str' },
  text: { value: '{"type":"text"}', type: 'json' },
  object: { value: '{"type":"json_object"}', type: 'json' },
};

/** @param others the types of values that come from elsewhere */
export function formatTypes(
  others: TypedInputType[],
  check: (value: string) => true | string,
): TypedInputType[] {
  const options = [
    { value: '', label: text('value.unset') },
    { value: 'text', label: text('value.formatText') },
    { value: 'object', label: text('value.formatObject') },
    { value: 'auto', label: 'auto' },
  ];
  const chosen = { value: CHOSEN, label: text('field.response_format'), icon: 'fa fa-code', options };
  return [chosen, jsonType(text('value.formatSchema'), check, SCHEMA), ...others];
}

/** A saved format as the form shows it: by name, or its schema alone. */
export function shownFormat(saved: SavedField): SavedField {
  if (saved.type !== 'json' && saved.type !== 'str') return saved;
  const known = Object.entries(CHOICES).find(([, choice]) => choice.value === saved.value.replace(/\s/g, ''));
  if (known || saved.value === '') return { value: known?.[0] ?? '', type: CHOSEN };
  const format = parsed(saved.value);
  return {
    value: format?.json_schema ? JSON.stringify(format.json_schema.schema ?? {}) : saved.value,
    type: SCHEMA,
  };
}

/** What the form shows as it is saved; name, strictness and description of a schema stay. */
export function savedFormat({ value, type }: SavedField, before: SavedField | undefined): SavedField {
  if (type === CHOSEN) return CHOICES[value] ?? { value: '', type: 'json' };
  if (type !== SCHEMA) return { value, type };
  const schema = parsed(value);
  if (!schema) return { value, type: 'json' };
  // A whole format, pasted where its schema belongs.
  if (schema.json_schema) return { value, type: 'json' };
  return { value: JSON.stringify(schemaFormat(schema, parsed(before?.value ?? ''))), type: 'json' };
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of any form
function parsed(value: string): any {
  const found = parsedJson(value);
  return typeof found === 'object' && found !== null ? found : undefined;
}
