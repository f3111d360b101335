/** The functions of an assistant as a form: name, description, and a row for each parameter. */
import { FUNCTION_NAME, LONGEST_FUNCTION_NAME } from '../../../engine/domain/limits.ts';
import type { Below, ServiceText } from '../../shared/texts.ts';
import { text } from './i18n.ts';

/** A tool as the API has it; whatever the form does not show stays as it is. */
export interface Tool {
  type: string;
  function?: { name: string; description?: string; parameters?: Schema; strict?: boolean };
  [field: string]: unknown;
}

interface Schema {
  type?: string;
  description?: string;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  [word: string]: unknown;
}

/** One property of a function's parameters, in the order of the form. */
interface Parameter {
  name: string;
  schema: Schema;
  required: boolean;
}

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array'];

type Word = Below<ServiceText, 'function'>;
const word = (key: Word) => text(`function.${key}`);

/** A control with a name for those who can't see where it stands. */
function field(tag: string, key: Word, attributes: Record<string, string> = {}): JQuery {
  return $(tag, { 'aria-label': word(key), placeholder: word(key), title: word(key), ...attributes });
}

export class FunctionsForm {
  readonly element = $('<div>', {
    class: 'runs-functions runs-wide',
    role: 'group',
    'aria-label': word('title'),
  });
  #tools: Tool[] = [];

  constructor(tools: Tool[]) {
    this.show(tools);
  }

  /** The tools as the form has them now. */
  get tools(): Tool[] {
    return this.#tools;
  }

  show(tools: Tool[]): void {
    this.#tools = structuredClone(tools);
    this.#draw();
  }

  #draw(): void {
    this.element.empty();
    for (const tool of this.#tools) {
      if (tool.type === 'function') this.element.append(this.#card(tool));
      else this.element.append($('<div>', { class: 'runs-unit' }).text(tool.type));
    }
    const add = smallButton('plus', word('add')).on('click', () => {
      const name = this.#freeName();
      this.#tools.push({
        type: 'function',
        function: { name, parameters: { type: 'object', properties: {} } },
      });
      this.#draw();
      this.element.find('.runs-function').last().prop('open', true).find('input').first().trigger('select');
    });
    this.element.append(add);
  }

  #freeName(): string {
    const names = new Set(this.#tools.map((tool) => tool.function?.name));
    for (let number = 1; ; number++) {
      const name = number === 1 ? 'do_something' : `do_something_${number}`;
      if (!names.has(name)) return name;
    }
  }

  #card(tool: Tool): JQuery {
    tool.function ??= { name: '' };
    const definition = tool.function;
    const title = $('<code>').text(definition.name || '–');
    const remove = smallButton('trash-o', '', word('remove')).on('click', (event) => {
      event.preventDefault();
      this.#tools = this.#tools.filter((other) => other !== tool);
      this.#draw();
    });
    const card = $('<details>', { class: 'runs-function' }).append($('<summary>').append(title, remove));
    const name = field('<input>', 'name', { type: 'text' }).val(definition.name);
    const wrong = $('<div>', { class: 'runs-hint runs-bad', role: 'status' });
    const check = () => {
      const isRight = FUNCTION_NAME.test(definition.name) && definition.name.length <= LONGEST_FUNCTION_NAME;
      wrong.text(isRight ? '' : word('badName')).toggle(!isRight);
    };
    name.on('input', () => {
      // People write words; the API takes none with spaces between them.
      definition.name = String(name.val()).trim().replace(/\s+/g, '_');
      title.text(definition.name || '–');
      check();
    });
    name.on('change', () => name.val(definition.name));
    check();
    const description = field('<input>', 'description', { type: 'text' }).val(definition.description ?? '');
    description.on('input', () => setText(definition, 'description', description));
    card.append(line(name), wrong, line(description), this.#parameters(definition), strictLine(definition));
    return card;
  }

  #parameters(definition: NonNullable<Tool['function']>): JQuery {
    const { properties = {}, required = [] } = definition.parameters ?? {};
    const rows: Parameter[] = Object.entries(properties).map(([name, schema]) => ({
      name,
      schema,
      required: required.includes(name),
    }));
    const write = () => {
      const named = rows.filter(({ name }) => name !== '');
      const wanted = named.filter((row) => row.required).map(({ name }) => name);
      const { required: _, ...rest } = definition.parameters ?? {};
      definition.parameters = {
        ...rest,
        type: 'object',
        properties: Object.fromEntries(named.map(({ name, schema }) => [name, schema])),
        ...(wanted.length > 0 && { required: wanted }),
      };
    };
    const table = $('<div>');
    const draw = () => {
      table.empty().append(rows.map((row) => parameterRow(row, write, () => removeRow(row))));
      const add = smallButton('plus', word('addParameter')).on('click', () => {
        rows.push({ name: '', schema: { type: 'string' }, required: true });
        draw();
        table.find('.runs-parameter').last().find('input').first().trigger('focus');
      });
      table.append(add);
    };
    const removeRow = (row: Parameter) => {
      rows.splice(rows.indexOf(row), 1);
      write();
      draw();
    };
    draw();
    return table;
  }
}

/** Sets a text of an object; an empty one is none. */
function setText(target: object, key: string, input: JQuery): void {
  const value = String(input.val()).trim();
  if (value) Object.assign(target, { [key]: value });
  else delete (target as Record<string, unknown>)[key];
}

function parameterRow(row: Parameter, write: () => void, remove: () => void): JQuery {
  const { schema } = row;
  const name = field('<input>', 'parameter', { type: 'text' }).val(row.name);
  const types =
    typeof schema.type === 'string' && !TYPES.includes(schema.type) ? [schema.type, ...TYPES] : TYPES;
  const type = field('<select>', 'type').append(types.map((value) => $('<option>', { value }).text(value)));
  // A schema without one plain type, such as a choice of several, is for the JSON view.
  if (typeof schema.type === 'string') type.val(schema.type);
  else type.prop('disabled', true).prepend($('<option>', { value: '', selected: 'selected' }).text('…'));
  const description = field('<input>', 'description', { type: 'text' }).val(schema.description ?? '');
  const values = field('<input>', 'values', { type: 'text' }).val((schema.enum ?? []).join(', '));
  const required = $('<input>', { type: 'checkbox' }).prop('checked', row.required);
  name.on('input', () => {
    row.name = String(name.val()).trim();
    write();
  });
  type.on('change', () => {
    schema.type = String(type.val());
    setValues(schema, values);
    write();
  });
  description.on('input', () => {
    setText(schema, 'description', description);
    write();
  });
  values.on('input', () => {
    setValues(schema, values);
    write();
  });
  required.on('change', () => {
    row.required = required.is(':checked');
    write();
  });
  const needed = $('<label>', { class: 'runs-needed' }).append(
    required,
    document.createTextNode(` ${word('required')}`),
  );
  const gone = smallButton('trash-o', '', word('removeParameter')).on('click', remove);
  return $('<div>', { class: 'runs-parameter' }).append(
    line(name, type, gone),
    line(description),
    line(values, needed),
  );
}

/** The allowed values, in the type of the parameter. */
function setValues(schema: Schema, input: JQuery): void {
  const typed = String(input.val())
    .split(',')
    .map((value) => value.trim())
    .filter(Boolean);
  const isNumber = schema.type === 'number' || schema.type === 'integer';
  const isSwitch = schema.type === 'boolean';
  if (typed.length === 0) delete schema.enum;
  else if (isSwitch) schema.enum = typed.map((value) => value.toLowerCase() === 'true');
  else schema.enum = isNumber ? typed.map(Number) : typed;
}

function strictLine(definition: NonNullable<Tool['function']>): JQuery {
  const box = $('<input>', { type: 'checkbox' }).prop('checked', definition.strict === true);
  box.on('change', () => {
    if (box.is(':checked')) {
      definition.strict = true;
      definition.parameters = {
        type: 'object',
        properties: {},
        ...definition.parameters,
        additionalProperties: false,
      };
    } else delete definition.strict;
  });
  return $('<label>', { class: 'runs-needed' }).append(box, document.createTextNode(` ${word('strict')}`));
}

const line = (...controls: JQuery[]) => $('<div>', { class: 'runs-pair' }).append(...controls);

function smallButton(icon: string, label: string, name = label): JQuery {
  return $('<button>', {
    type: 'button',
    class: 'red-ui-button red-ui-button-small',
    'aria-label': name,
    title: name,
  }).append($('<i>', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }), label ? ` ${label}` : '');
}
