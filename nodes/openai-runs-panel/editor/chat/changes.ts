/** What is other than the assistant's own, for this chat alone; and the mocks that answer in it. */
import { modelsOf } from '../../../openai-runs/editor/assistants.ts';
import { h, iconButton, set } from '../dom.ts';
import { text } from '../i18n.ts';
import type { AssistantInfo, Run } from '../types.ts';
import type { Mocks } from './mocks.ts';
import { type ChangedValues, saveChanges } from './save-changes.ts';

const CHANGEABLE = ['instructions', 'model', 'temperature'] as const;

export class Changes {
  readonly element: HTMLDetailsElement;
  private readonly controls: Record<(typeof CHANGEABLE)[number], HTMLInputElement | HTMLTextAreaElement>;
  private readonly mark = h('span', { class: 'runs-dim' });
  private readonly models = h('datalist', { id: 'runs-chat-models' });
  private readonly mockList = h('div', { class: 'runs-mocks' });
  private readonly buttons = h('div', { class: 'runs-row-of' });
  private readonly told = h('p', { class: 'runs-told', role: 'status' });
  private readonly changed: () => void;
  private service = '';
  private assistant: AssistantInfo | undefined;
  private mocks: Mocks | undefined;

  /** @param changed values are others now */
  constructor(changed: () => void) {
    this.changed = changed;
    const onInput = { input: () => this.draw(), change: changed };
    this.controls = {
      instructions: h('textarea', { id: 'runs-chat-instructions', rows: 3, ...onInput }),
      model: h('input', {
        id: 'runs-chat-model',
        type: 'text',
        autocomplete: 'off',
        list: this.models.id,
        ...onInput,
      }),
      temperature: h('input', {
        id: 'runs-chat-temperature',
        type: 'number',
        min: 0,
        max: 2,
        step: 0.1,
        ...onInput,
      }),
    };
    const begin = iconButton('pencil', text('change.begin'), () => {
      this.controls.instructions.value = this.assistant?.instructions ?? '';
      this.controls.instructions.focus();
      this.draw();
    });
    this.element = h(
      'details',
      { class: 'runs-options', toggle: () => void this.offerModels() },
      h('summary', {}, text('talk.options'), ' ', this.mark),
      h(
        'div',
        { class: 'runs-fields' },
        this.field('instructions', begin),
        h('div', { class: 'runs-pair' }, this.field('model'), this.field('temperature')),
        this.models,
        this.buttons,
        this.told,
        this.mockList,
      ),
    );
    this.tell('');
  }

  /** Shows what an assistant is set to; what is set here for the same one stays. */
  show(service: string, assistant: AssistantInfo | undefined, mocks: Mocks | undefined): void {
    const isElsewhere = service !== this.service;
    if (isElsewhere || assistant?.id !== this.assistant?.id) this.clear();
    Object.assign(this, { service, assistant, mocks });
    if (isElsewhere) {
      set(this.models);
      void this.offerModels();
    }
    for (const name of CHANGEABLE) {
      this.controls[name].placeholder = String(assistant?.[name] ?? '');
      if (this.controls[name].value === this.controls[name].placeholder) this.controls[name].value = '';
    }
    this.element.hidden = assistant === undefined;
    this.draw();
  }

  /** Takes over what a run was asked with, where that is other than the assistant's own. */
  take(run: Pick<Run, (typeof CHANGEABLE)[number]>): void {
    for (const name of CHANGEABLE) {
      const value = run[name];
      const isOther = value != null && value !== this.assistant?.[name];
      this.controls[name].value = isOther ? String(value) : '';
    }
    this.draw();
  }

  /** What is set and other than the assistant's own. */
  get values(): ChangedValues {
    const { instructions, model, temperature } = this.controls;
    const set: ChangedValues = {};
    if (instructions.value.trim()) set.instructions = instructions.value;
    if (model.value.trim()) set.model = model.value.trim();
    if (temperature.value) set.temperature = Number(temperature.value);
    return Object.fromEntries(
      CHANGEABLE.filter((name) => set[name] !== undefined && set[name] !== this.assistant?.[name]).map(
        (name) => [name, set[name]],
      ),
    );
  }

  /** Draws what has changed and what can be done about it. */
  draw(): void {
    const values = this.values;
    const changed = CHANGEABLE.filter((name) => values[name] !== undefined);
    const mocked = [...(this.mocks?.all() ?? [])];
    const names = [
      ...changed.map((name) => text(`talk.${name}`)),
      ...mocked.map(([name]) => `${text('mock.mark')} ${name}`),
    ];
    set(
      this.mark,
      names.length > 0 && h('i', { class: 'fa fa-circle runs-blue', 'aria-hidden': 'true' }),
      names.length > 0 && ` ${text('change.changed', { names: names.join(', ') })}`,
    );
    set(this.mockList, ...this.mockRows(mocked));
    const button = (label: string, click: () => void) =>
      h('button', { type: 'button', class: 'red-ui-button red-ui-button-small', click }, label);
    set(
      this.buttons,
      changed.length > 0 && button(text('change.reset'), () => this.clear()),
      changed.length > 0 && button(text('change.save'), () => void this.save()),
    );
  }

  private field(name: (typeof CHANGEABLE)[number], ...more: HTMLElement[]): HTMLElement {
    const control = this.controls[name];
    return h(
      'div',
      { class: 'runs-field' },
      h('div', { class: 'runs-row-of' }, h('label', { for: control.id }, text(`talk.${name}`)), ...more),
      control,
    );
  }

  private mockRows(mocked: [name: string, output: string][]): (HTMLElement | false)[] {
    return [
      mocked.length > 0 && h('div', {}, text('mock.title')),
      ...mocked.map(([name, output]) =>
        h(
          'div',
          { class: 'runs-row-of' },
          h('code', {}, name),
          h('span', { class: 'runs-fill runs-dim', title: output }, output),
          iconButton('times', text('mock.off', { name }), () => {
            this.mocks?.set(name, undefined);
            this.draw();
          }),
        ),
      ),
    ];
  }

  private clear(): void {
    for (const control of Object.values(this.controls)) control.value = '';
    this.tell('');
    this.draw();
    this.changed();
  }

  private async save(): Promise<void> {
    const { service, assistant, values } = this;
    if (!assistant) return;
    try {
      const saved = await saveChanges(service, assistant.id, values);
      if (assistant !== this.assistant) return;
      if (saved) this.show(service, { ...assistant, ...saved }, this.mocks);
      this.tell(text(saved ? 'change.saved' : 'change.deploy'));
    } catch (error) {
      this.tell((error as Error).message);
    }
  }

  /** Says what has become of the changes; nothing takes away what was said. */
  tell(words: string): void {
    set(this.told, words);
    this.told.hidden = words === '';
  }

  /** The models that the provider lists, for whoever may see them. */
  private async offerModels(): Promise<void> {
    const { service } = this;
    if (!this.element.open || !service) return;
    const models = await modelsOf(service);
    if (service !== this.service) return;
    set(this.models, ...models.map(({ value }) => h('option', { value })));
  }
}
