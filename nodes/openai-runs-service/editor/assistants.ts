/** The list of assistants in the service dialog. */

import { jsonType, parsedJson, schemaFormat } from '../../shared/editor/json-input.ts';
import type { Below, ServiceText } from '../../shared/texts.ts';
import { FunctionsForm, type Tool } from './functions.ts';
import { text } from './i18n.ts';
import { modelInput, pickButton } from './models.ts';
import { type Assistant, checkJson, checkTools } from './validate.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A new id in the form of the service's own; it stays with the assistant for good. */
export function newAssistantId(): string {
  const random = crypto.getRandomValues(new Uint32Array(24));
  return `asst_${Array.from(random, (number) => LETTERS[number % LETTERS.length]).join('')}`;
}

export function prepareAssistants(list: JQuery, assistants: Assistant[]): void {
  list.editableList({
    addItem: (container: JQuery, _index: number, item: Partial<Assistant>) => {
      const assistant: Assistant = { ...item, id: item.id || newAssistantId() };
      container.data('assistant', assistant);
      buildItem(container, assistant, item.id === undefined);
    },
    addButton: text('assistant.add'),
    removable: true,
    sortable: true,
  });
  for (const assistant of assistants) list.editableList('addItem', assistant);
}

/** The assistants as typed; a text that is not JSON keeps what was saved before. */
export function collectAssistants(list: JQuery): Assistant[] {
  return list
    .editableList('items')
    .toArray()
    .map((element) => readItem($(element)));
}

/** Items made so far, for the ids of their controls. */
let items = 0;

function buildItem(container: JQuery, assistant: Assistant, open: boolean): void {
  // Not the assistant's own: that may be anything while it is being typed.
  const id = `runs-assistant-${++items}`;
  container.data('id', id);
  const name = $('<input>', { type: 'text', id: `${id}-name` }).val(assistant.name ?? '');
  const summary = $('<summary>').append(
    $('<span>', { class: 'runs-assistant-title' }),
    $('<code>', { class: 'runs-assistant-id' }).text(assistant.id),
  );
  const title = () =>
    summary.find('.runs-assistant-title').text(String(name.val()) || text('assistant.unnamed'));
  name.on('input', title);
  title();
  const details = $('<details>', { class: 'runs-assistant' }).prop('open', open).append(summary);
  details.append(
    row(`${id}-name`, 'name', 'tag', name),
    idRow(id, assistant, open),
    row(
      `${id}-model`,
      'model',
      'cube',
      modelInput(`${id}-model`)
        .attr('placeholder', text('assistant.modelDefault'))
        .val(assistant.model ?? '')
        .add(pickButton()),
    ),
    instructionsRow(id, assistant),
    toolsRow(id, assistant),
    formatRow(id, assistant),
    row(
      `${id}-temperature`,
      'temperature',
      'thermometer-half',
      $('<input>', {
        type: 'number',
        class: 'runs-number',
        id: `${id}-temperature`,
        min: 0,
        max: 2,
        step: 0.1,
      }).val(assistant.temperature ?? ''),
    ),
  );
  container.append(details);
  // The list puts it into the page when this is done.
  if (open) setTimeout(() => name.trigger('focus'));
  makeTyped(container, id, assistant);
}

function row(
  inputId: string,
  key: Below<ServiceText, 'assistant'>,
  icon: string,
  ...controls: JQuery[]
): JQuery {
  const label = $('<label>', { for: inputId, id: `${inputId}-label` }).append(
    $('<i>', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }),
    $('<span>').text(` ${text(`assistant.${key}`)}`),
  );
  return $('<div>', { class: 'form-row' }).append(label, ...controls);
}

/** The id: free while the assistant is new; later it takes a press, as nodes and threads know it by that. */
function idRow(id: string, assistant: Assistant, isNew: boolean): JQuery {
  const input = $('<input>', { type: 'text', id: `${id}-id`, spellcheck: 'false' }).val(assistant.id);
  if (isNew) return row(`${id}-id`, 'id', 'barcode', input);
  input.prop('readonly', true);
  const change = $('<button>', { type: 'button', class: 'red-ui-button red-ui-button-small runs-expand' });
  change.text(text('assistant.changeId')).on('click', () => {
    input.prop('readonly', false).trigger('select');
    change.remove();
  });
  return row(`${id}-id`, 'id', 'barcode', input, change);
}

function instructionsRow(id: string, assistant: Assistant): JQuery {
  const area = $('<textarea>', { id: `${id}-instructions`, rows: 3 }).val(assistant.instructions ?? '');
  const expand = $('<button>', {
    type: 'button',
    class: 'red-ui-button red-ui-button-small runs-expand',
    'aria-label': text('assistant.expand'),
    title: text('assistant.expand'),
  }).append($('<i>', { class: 'fa fa-ellipsis-h', 'aria-hidden': 'true' }));
  expand.on('click', () =>
    RED.editor.editText({
      title: text('assistant.instructions'),
      mode: 'ace/mode/markdown',
      value: String(area.val()),
      focus: true,
      complete: (value) => area.val(value),
    }),
  );
  return row(`${id}-instructions`, 'instructions', 'file-text-o', area, expand).addClass('runs-top');
}

/** The tools, as a form or as JSON: two views of the same, one at a time. */
function toolsRow(id: string, assistant: Assistant): JQuery {
  const input = $('<input>', { type: 'text', class: 'runs-assistant-tools', placeholder: '[]' });
  input.val(assistant.tools?.length ? JSON.stringify(assistant.tools) : '');
  const form = new FunctionsForm((assistant.tools ?? []) as Tool[]);
  const asJson = row(`${id}-tools`, 'tools', 'wrench', input).hide();
  const asForm = $('<div>', { class: 'form-row runs-tools-form' }).append(form.element).data('form', form);
  const turn = $('<button>', { type: 'button', class: 'red-ui-button red-ui-button-small runs-turn' });
  const label = () => turn.text(text(asJson.is(':hidden') ? 'function.asJson' : 'function.asForm'));
  turn.on('click', () => {
    if (asForm.is(':visible')) {
      input.typedInput('value', form.tools.length > 0 ? JSON.stringify(form.tools) : '');
      asForm.hide();
      asJson.show();
      input.typedInput('width', '100%');
    } else {
      // What can't be read stays where it can be mended.
      if (!input.typedInput('validate')) return;
      form.show((parsedJson(input.typedInput('value') || '[]') ?? []) as Tool[]);
      asJson.hide();
      asForm.show();
    }
    label();
  });
  const heading = $('<label>', { style: 'flex-basis: auto' }).append(
    $('<i>', { class: 'fa fa-wrench', 'aria-hidden': 'true' }),
    $('<span>').text(` ${text('function.title')}`),
  );
  const head = $('<div>', { class: 'form-row', style: 'margin-bottom: 4px' }).append(heading, turn);
  const block = $('<div>').append(head, asForm, asJson);
  turn.text(text('function.asJson'));
  return block;
}

function formatRow(id: string, assistant: Assistant): JQuery {
  const input = $('<input>', { type: 'text', class: 'runs-assistant-format' });
  input.val(formatOf(assistant).schema);
  return row(`${id}-format`, 'format', 'code', input);
}

/** typedInputs can only be made once their elements are in the page. */
function makeTyped(container: JQuery, id: string, assistant: Assistant): void {
  container
    .find('.runs-assistant-tools')
    .css('width', '100%')
    .typedInput({ types: [jsonType('JSON', (value) => checkJson(value, checkTools))] });
  container
    .find('.runs-assistant-format')
    .css('width', '100%')
    .typedInput({
      default: formatOf(assistant).type,
      types: [
        { value: 'text', label: text('assistant.formatText'), hasValue: false },
        { value: 'json_object', label: text('assistant.formatObject'), hasValue: false },
        jsonType(text('assistant.formatSchema'), (value) => checkJson(value, () => true), 'json_schema'),
      ],
    });
  for (const part of ['tools', 'format'] as const) {
    const typed = container.find(`.runs-assistant-${part}`).next('.red-ui-typedInput-container');
    typed.attr({ role: 'group', 'aria-labelledby': `${id}-${part}-label` });
    typed
      .find('input.red-ui-typedInput-input')
      .attr({ id: `${id}-${part}`, 'aria-labelledby': `${id}-${part}-label` });
    typed.find('button').attr('aria-label', text(`assistant.${part}`));
  }
}

interface Format {
  type: string;
  schema: string;
}

function formatOf({ response_format: format }: Assistant): Format {
  const { type, json_schema: inner } = (typeof format === 'object' && format ? format : {}) as {
    type?: string;
    json_schema?: { schema?: unknown };
  };
  if (type === 'json_object') return { type, schema: '' };
  if (type === 'json_schema') return { type, schema: JSON.stringify(inner?.schema ?? {}) };
  return { type: 'text', schema: '' };
}

function readItem(container: JQuery): Assistant {
  const before = container.data('assistant') as Assistant;
  const id = String(container.data('id'));
  const value = (part: string) => String($(`#${id}-${part}`).val() ?? '').trim();
  const { name: _n, model: _m, instructions: _i, temperature: _t, ...kept } = before;
  const assistant: Assistant = { ...kept, id: value('id') || before.id };
  for (const part of ['name', 'model', 'instructions'] as const) {
    if (value(part)) assistant[part] = value(part);
  }
  if (value('temperature')) assistant.temperature = Number(value('temperature'));
  const asForm = container.find('.runs-tools-form');
  if (asForm.css('display') === 'none') {
    readTools(assistant, container.find('.runs-assistant-tools').typedInput('value'));
  } else {
    const { tools } = asForm.data('form') as FunctionsForm;
    if (tools.length > 0) assistant.tools = tools;
    else delete assistant.tools;
  }
  const format = container.find('.runs-assistant-format');
  readFormat(assistant, format.typedInput('type'), format.typedInput('value'));
  return assistant;
}

function readTools(assistant: Assistant, typed: string): void {
  if (typed.trim() === '') {
    delete assistant.tools;
    return;
  }
  const tools = parsedJson(typed);
  if (Array.isArray(tools)) assistant.tools = tools;
}

function readFormat(assistant: Assistant, type: string, typed: string): void {
  if (type === 'text') {
    delete assistant.response_format;
    return;
  }
  if (type === 'json_object') {
    assistant.response_format = { type };
    return;
  }
  const schema = parsedJson(typed);
  if (typeof schema !== 'object' || schema === null) return;
  assistant.response_format = schemaFormat(schema, assistant.response_format);
}
