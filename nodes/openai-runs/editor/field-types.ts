/** How a field of the API is typed in: what its typedInput offers, and what a value may be. */
import { jsonType } from '../../shared/editor/json-input.ts';
import type { Parameter, ParameterType } from '../methods/method.ts';
import type { Choice } from './assistants.ts';
import { fieldName, text } from './i18n.ts';
import { formatTypes } from './response-format.ts';
import type { SavedField } from './saved-field.ts';

/** Stands for a line break while a text of several lines is in a one-line input, as inputs drop line breaks. */
const BREAK = '⏎';
export const toInput = (value: string) => value.replace(/\r?\n/g, BREAK);
export const fromInput = (value: string) => value.replaceAll(BREAK, '\n');

/** Fields whose text is long enough to deserve an editor of its own. */
const LONG_TEXTS = new Set(['instructions', 'additional_instructions', 'content', 'description']);

/** The one thing that `include` can ask for. */
const INCLUDE = '["step_details.tool_calls[*].file_search.results[*].content"]';

const DYNAMIC = ['msg', 'flow', 'global'];
const PICTURES = 'red/images/typedInput/';

export function parameterTypes({ type }: Parameter): readonly ParameterType[] {
  return typeof type === 'string' ? [type] : type;
}

/** Why a literal does not fit its field, or true. Values that come from elsewhere are checked when they come. */
export function checkField({ value, type }: SavedField, parameter: Parameter | undefined): true | string {
  if (value === '' || isEnvironment(value)) return true;
  if (type === 'num') return checkNumber(value, parameter);
  if (type === 'json') return checkJson(value, parameter);
  if (['msg', 'flow', 'global', 'jsonata'].includes(type)) {
    return RED.utils.validateTypedProperty(value, type, {});
  }
  return true;
}

/** `${NAME}` is filled in by the runtime. */
function isEnvironment(value: string): boolean {
  return /^\$\{[^}]+\}$/.test(value);
}

function checkNumber(value: string, parameter: Parameter | undefined): true | string {
  const number = Number(value);
  if (Number.isNaN(number)) return text('validation.number');
  const whole = parameter ? parameterTypes(parameter).includes('integer') : false;
  if (whole && !Number.isInteger(number)) return text('validation.integer');
  const range = parameter?.range;
  if (!range) return true;
  if (number < range.min || number > (range.max ?? Number.POSITIVE_INFINITY)) {
    return range.max === undefined
      ? text('validation.atLeast', { min: range.min })
      : text('validation.range', { min: range.min, max: range.max });
  }
  return true;
}

function checkJson(value: string, parameter: Parameter | undefined): true | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch (error) {
    return text('validation.json', { error: (error as Error).message });
  }
  const types = parameter ? parameterTypes(parameter) : [];
  if (parsed === null) return true;
  if (types.length === 1 && types[0] === 'array' && !Array.isArray(parsed)) return text('validation.array');
  if (types.includes('object') && (typeof parsed !== 'object' || Array.isArray(parsed))) {
    return text('validation.object');
  }
  return true;
}

/** The type under which an assistant is chosen by its name; saved is its id, as a text. */
export const BY_NAME = 'assistant';
/** Stands for the assistant that is still to be made. */
export const NEW_ASSISTANT = '+';

/** The types of an assistant's field: one of those that the service has, or any id. */
export function assistantTypes(parameter: Parameter, choices: Choice[]): TypedInputType[] {
  const [id, ...others] = inputTypes('assistant_id', parameter);
  const byName = {
    value: BY_NAME,
    label: fieldName('assistant_id'),
    icon: 'fa fa-user-circle-o',
    options: [
      { value: '', label: text('value.chooseAssistant') },
      ...choices,
      { value: NEW_ASSISTANT, label: text('value.newAssistant') },
    ],
  };
  return [byName, { ...(id as object), label: text('value.otherId') } as TypedInputType, ...others];
}

/**
 * The types a field's typedInput offers, the usual one first.
 * @param suggest offers texts to choose from, any other is allowed
 */
export function inputTypes(
  field: string,
  parameter: Parameter,
  suggest?: () => Promise<Choice[]>,
): TypedInputType[] {
  const check = (type: string) => (value: string) => checkField({ value, type }, parameter);
  const types = parameterTypes(parameter);
  const offered: TypedInputType[] = [];
  if (field === 'response_format') return formatTypes([...DYNAMIC, 'jsonata'], check('json'));
  if (parameter.enum) offered.push(choices('str', parameter.enum));
  else if (types.includes('id') || types.includes('string')) offered.push(textType(field, suggest));
  if (types.includes('number') || types.includes('integer')) {
    offered.push({ value: 'num', label: builtIn('num'), icon: `${PICTURES}09.svg`, validate: check('num') });
  }
  if (types.includes('boolean')) offered.push(choices('bool', ['true', 'false']));
  if (field === 'include') {
    offered.push({
      ...choices('json', []),
      options: [
        { value: '', label: text('value.unset') },
        { value: INCLUDE, label: text('value.fileSearchContent') },
      ],
    });
  } else if (types.includes('object') || types.includes('array')) {
    offered.push(jsonType(builtIn('json'), check('json')));
  }
  const literal = !types.includes('object') && !types.includes('array');
  return [...offered, ...DYNAMIC, ...(literal ? ['env'] : []), 'jsonata'];
}

function builtIn(type: string): string {
  return RED._(`typedInput.type.${type}`);
}

function choices(value: 'str' | 'bool' | 'json', options: readonly string[]) {
  const icons = { str: 'az', bool: 'bool', json: 'json' };
  return {
    value,
    label: builtIn(value),
    icon: `${PICTURES}${icons[value]}.svg`,
    options: [
      { value: '', label: text('value.unset') },
      ...options.map((option) => ({ value: option, label: option })),
    ],
  };
}

function textType(field: string, suggest?: () => Promise<Choice[]>): TypedInputType {
  const plain = { value: 'str', label: builtIn('str'), icon: `${PICTURES}az.svg` };
  if (suggest) {
    const matches = (typed: string) => (choice: Choice) =>
      choice.label.toLowerCase().includes(typed.toLowerCase());
    return {
      ...plain,
      autoComplete: (typed, done) => {
        suggest().then((all) => done(all.filter(matches(typed))));
      },
    };
  }
  if (!LONG_TEXTS.has(field)) return plain;
  return {
    ...plain,
    expand() {
      RED.editor.editText({
        title: fieldName(field),
        value: fromInput(this.value()),
        mode: 'ace/mode/markdown',
        focus: true,
        complete: (value) => this.value(toInput(value)),
      });
    },
  };
}
