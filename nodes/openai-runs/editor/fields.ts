/** The rows of a method's fields: made from its template, filled from what was saved, read back on save. */
import { nameParts } from '../../shared/editor/name-parts.ts';
import { findMethod } from '../methods/index.ts';
import type { Parameter } from '../methods/method.ts';
import type { Choice } from './assistants.ts';
import {
  assistantTypes,
  BY_NAME,
  checkField,
  fromInput,
  inputTypes,
  NEW_ASSISTANT,
  toInput,
} from './field-types.ts';
import { fieldName, text } from './i18n.ts';
import { savedFormat, shownFormat } from './response-format.ts';
import type { SavedField } from './saved-field.ts';

export type SavedFields = Record<string, SavedField>;

/** What the rows need to know of the rest of the dialog. */
export interface FieldContext {
  /** Whether the dialog is still there. */
  isOpen(): boolean;
  /** Where a field left empty is looked for, e.g. `msg.payload`; empty when it can't be there. */
  source(): string;
  /** Whether the field need not be there although the API asks for it. */
  optional(field: string): boolean;
  /** The assistants to offer. */
  assistants(): Promise<Choice[]>;
  /** The models to offer. */
  models(): Promise<Choice[]>;
  /** Goes to where assistants are made. */
  makeAssistant(): void;
}

const ICONS: Record<string, string> = {
  assistant_id: 'user-circle-o',
  thread_id: 'comments-o',
  run_id: 'play',
  step_id: 'step-forward',
  message_id: 'comment-o',
  messages: 'comment-o',
  role: 'user-o',
  content: 'align-left',
  attachments: 'paperclip',
  name: 'tag',
  description: 'info-circle',
  thread: 'comments-o',
  additional_messages: 'comment-o',
  additional_instructions: 'file-text-o',
  instructions: 'file-text-o',
  model: 'cube',
  tools: 'wrench',
  tool_choice: 'hand-pointer-o',
  parallel_tool_calls: 'random',
  tool_outputs: 'reply',
  tool_resources: 'folder-open-o',
  response_format: 'code',
  temperature: 'thermometer-half',
  top_p: 'pie-chart',
  max_prompt_tokens: 'sign-in',
  max_completion_tokens: 'sign-out',
  truncation_strategy: 'scissors',
  reasoning_effort: 'lightbulb-o',
  metadata: 'tags',
  include: 'plus-square-o',
  limit: 'list-ol',
  order: 'sort',
  after: 'arrow-down',
  before: 'arrow-up',
};

/** The menus of typedInputs that are open: one at most. */
const MENUS = '.red-ui-typedInput-options:visible';

export class FieldRows {
  /** Everything typed so far, of any method: switching methods and back loses nothing. */
  readonly #values: Map<string, SavedField>;
  readonly #container: JQuery;
  readonly #context: FieldContext;
  #method = '';

  constructor(container: JQuery, saved: SavedFields, context: FieldContext) {
    this.#container = container;
    this.#values = new Map(Object.entries(saved));
    this.#context = context;
  }

  /** Shows a method's template and nothing of the others. */
  show(id: string): void {
    this.#remember();
    this.#method = id;
    this.#container.children('.runs-method').each((_, element) => {
      const template = $(element);
      const shown = template.attr('data-method') === id;
      template.toggle(shown);
      if (shown) this.#fill(template);
    });
    this.refresh();
    this.offerAssistants();
  }

  /**
   * Offers the service's assistants by name, and keeps the one that is chosen if it is among them.
   * @param preferred the id to choose where nothing is chosen yet, or no other fits
   */
  async offerAssistants(preferred?: string): Promise<void> {
    const choices = await this.#context.assistants();
    // A server may have taken its time.
    if (!this.#context.isOpen()) return;
    if ($(MENUS).length > 0) {
      // What is offered anew closes its menu: not under the person's hand. A menu that closes gives the focus away.
      $(document).one('focusin', () => this.offerAssistants(preferred));
      return;
    }
    this.#each((name, row, input) => {
      const parameter = this.#parameter(name);
      if (name !== 'assistant_id' || !parameter) return;
      const { value, type } = this.#read(name, input);
      const offered = JSON.stringify(choices);
      if (input.data('offered') !== offered) {
        input.data('offered', offered).typedInput('types', assistantTypes(parameter, choices));
      }
      if (type === 'str') {
        const known = (id: string) => choices.some((choice) => choice.value === id);
        const chosen = preferred && (value === '' || !known(value)) ? preferred : value;
        const byName = known(chosen) || (chosen === '' && choices.length > 0);
        input.typedInput('type', byName ? BY_NAME : 'str').typedInput('value', toInput(chosen));
      }
      nameParts(row, input.attr('data-id') ?? '', fieldName(name));
      this.#markUnknown(row, input, choices);
    });
    this.refresh();
  }

  /** Says so where the service has no assistant of that id. */
  #markUnknown(row: JQuery, input: JQuery, choices: Choice[]): void {
    const { value, type } = this.#read('assistant_id', input);
    const isLiteral = type === 'str' && value !== '' && !value.includes('${');
    const unknown = isLiteral && choices.length > 0 && !choices.some((choice) => choice.value === value);
    row.find('.runs-hint').text(unknown ? text('hint.unknownAssistant') : '');
  }

  /** What is to be saved: the fields of the method shown that are not empty. */
  collect(): SavedFields {
    this.#remember();
    const fields: SavedFields = {};
    for (const name of Object.keys(findMethod(this.#method)?.parameters ?? {})) {
      const saved = this.#values.get(name);
      if (saved && saved.value !== '') fields[name] = saved;
    }
    return fields;
  }

  /** The id of the assistant as it stands in the form; empty where none is named there. */
  get chosenAssistant(): string {
    let id = '';
    this.#each((name, _, input) => {
      const { value, type } = this.#read(name, input);
      if (name === 'assistant_id' && type === 'str') id = value;
    });
    return id;
  }

  /** Brings hints and marks up to date with the rest of the dialog. */
  refresh(): void {
    const source = this.#context.source();
    this.#each((name, row, input) => {
      const visible = row.find('input.red-ui-typedInput-input');
      visible.attr('placeholder', source ? `${source}.${name}` : '');
      const required = isRequired(this.#parameter(name)) && !this.#context.optional(name);
      row.find('.runs-required').toggle(required);
      visible.attr('aria-required', String(required));
      const missing = required && !source && input.typedInput('value') === '';
      row.find('.red-ui-typedInput-container').toggleClass('runs-missing', missing);
    });
  }

  #fill(template: JQuery): void {
    let more = false;
    template.find('[data-field]').each((_, element) => {
      const row = $(element);
      const name = row.attr('data-field') ?? '';
      if (!row.children().length) this.#build(row, name);
      const saved = this.#values.get(name);
      if (!saved) return;
      const input = row.children('.runs-field');
      const { type, value } = name === 'response_format' ? shownFormat(saved) : saved;
      input.typedInput('type', type).typedInput('value', toInput(value));
      more ||= saved.value !== '' && row.closest('details').length > 0;
    });
    if (more) template.find('details').prop('open', true);
  }

  #build(row: JQuery, name: string): void {
    const parameter = this.#parameter(name);
    if (!parameter) return;
    const id = `runs-field-${this.#method}-${name}`;
    const label = $('<label>', { for: id, id: `${id}-label`, title: name });
    $('<i>', { class: `fa fa-${ICONS[name] ?? 'circle-o'}`, 'aria-hidden': 'true' }).appendTo(label);
    $('<span>')
      .text(` ${fieldName(name)}`)
      .appendTo(label);
    $('<span>', { class: 'runs-required', 'aria-hidden': 'true', title: text('value.required') })
      .text(' *')
      .appendTo(label);
    const input = $('<input>', { type: 'text', class: 'runs-field', style: 'width: 100%' });
    row.addClass('form-row').append(label, input);
    const suggest = name === 'model' ? () => this.#context.models() : undefined;
    input.attr('data-id', id).typedInput({ types: inputTypes(name, parameter, suggest) });
    nameParts(row, id, fieldName(name));
    input.on('change', () => this.refresh());
    if (name === 'assistant_id') this.#watchAssistant(row, input);
  }

  #watchAssistant(row: JQuery, input: JQuery): void {
    $('<div>', { class: 'runs-hint', role: 'status' }).appendTo(row);
    input.on('change', async () => {
      if (input.typedInput('value') === NEW_ASSISTANT) {
        input.typedInput('value', '');
        this.#context.makeAssistant();
        return;
      }
      const choices = await this.#context.assistants();
      if (this.#context.isOpen()) this.#markUnknown(row, input, choices);
    });
  }

  /** A field as it is saved: an assistant chosen by name is an id, a format what the API takes. */
  #read(name: string, input: JQuery): SavedField {
    const field = { value: fromInput(input.typedInput('value')), type: input.typedInput('type') };
    if (name === 'response_format') return savedFormat(field, this.#values.get(name));
    return { ...field, type: field.type === BY_NAME ? 'str' : field.type };
  }

  #remember(): void {
    this.#each((name, _, input) => {
      const field = this.#read(name, input);
      if (field.value === '' && !this.#values.has(name)) return;
      this.#values.set(name, field);
    });
  }

  #each(visit: (name: string, row: JQuery, input: JQuery) => void): void {
    this.#container.find(`.runs-method[data-method="${this.#method}"] [data-field]`).each((_, element) => {
      const row = $(element);
      const input = row.children('.runs-field');
      if (input.length) visit(row.attr('data-field') ?? '', row, input);
    });
  }

  #parameter(name: string): Parameter | undefined {
    return findMethod(this.#method)?.parameters[name];
  }
}

function isRequired(parameter: Parameter | undefined): boolean {
  return parameter?.required === true;
}

/**
 * Why the saved fields cannot work, or true. A required field may be left empty as long as the message may
 * still bring it.
 */
export function checkFields(
  methodId: string,
  fields: SavedFields | undefined,
  context: Pick<FieldContext, 'source' | 'optional'>,
): true | string {
  const parameters = findMethod(methodId)?.parameters ?? {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const field = fields?.[name];
    if (field && field.value !== '') {
      const answer = checkField(field, parameter);
      if (answer !== true) return text('validation.field', { field: name, reason: answer });
    } else if (isRequired(parameter) && !context.optional(name) && !context.source()) {
      return text('validation.missing', { field: name });
    }
  }
  return true;
}
